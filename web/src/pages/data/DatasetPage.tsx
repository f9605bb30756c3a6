/** A dataset: what is in it, how good it is, where it came from, and how to be let in. The part shown is in the address. */
import { Button, Group, Modal, Skeleton, Tabs, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconKey, IconTerminal2 } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";
import { api } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay, useSession } from "../../app/session";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Access } from "./Access";
import { AskAccess } from "./AskAccess";
import { encryptedColumns } from "./AskOpening";
import { GiveAccess } from "./GiveAccess";
import { Lineage } from "./Lineage";
import { Openings } from "./Openings";
import { Profile } from "./Profile";
import { Quality } from "./Quality";
import { Risk } from "./Risk";
import { Tables } from "./Tables";
import { Versions } from "./Versions";

const TABS = ["tables", "profile", "risk", "quality", "versions", "lineage", "access", "openings"] as const;

export function Component() {
  const { t } = useTranslation("data");
  const { name = "" } = useParams();
  const format = useFormat();
  const may = useMay();
  const { projects } = useSession();
  const [params, setParams] = useSearchParams();
  const [asking, { open, close }] = useDisclosure(false);
  const [giving, giver] = useDisclosure(false);
  const asked = api.useQuery("get", "/api/v1/datasets/{name}/description", { params: { path: { name } } });
  const dataset = asked.data;
  if (dataset === undefined) {
    return (
      <Page title={name}>
        {asked.isPending ? <Skeleton h={420} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />}
      </Page>
    );
  }
  const tabs = TABS.filter((one) => (one === "lineage" ? may("flows:read") : one === "access" ? may("grants:read:own") : one === "openings" ? may("openings:read:own") && dataset.tables.some((table) => encryptedColumns(table).length > 0) : true));
  const wanted = params.get("tab");
  const tab = tabs.find((one) => one === wanted) ?? "tables";
  const facts = [
    t("facts.owner", { name: dataset.owner }),
    dataset.committed_at === null ? t("facts.empty") : t("facts.version", { number: format.number(dataset.latest), when: format.dateTime(dataset.committed_at) }),
    ...(dataset.contract === null ? [] : [t("facts.contract", { name: dataset.contract })]),
    ...(dataset.sources.length === 0 ? [] : [t("facts.sources", { names: format.list(dataset.sources) })]),
  ];
  const sample = dataset.tables.find(({ rows }) => rows !== null)?.sample_query;
  return (
    <Page
      title={dataset.title}
      about={dataset.description}
      actions={
        <>
          {may("queries:run") && sample !== undefined && (
            <Button variant="default" component={Link} to={{ pathname: "/sql", hash: encodeURIComponent(sample) }} leftSection={<IconTerminal2 size={16} aria-hidden />}>
              {t("actions.query")}
            </Button>
          )}
          {may("grants:request") && projects.length > 0 && (
            <Button onClick={open} leftSection={<IconKey size={16} aria-hidden />}>
              {t("actions.ask")}
            </Button>
          )}
          {may("grants:write") && (
            <Button variant={may("grants:request") && projects.length > 0 ? "default" : "filled"} onClick={giver.open} leftSection={<IconKey size={16} aria-hidden />}>
              {t("actions.give")}
            </Button>
          )}
        </>
      }
    >
      <Group gap="xs">
        <Text size="sm" c="dimmed">{facts.join(" · ")}</Text>
      </Group>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(one) => {
          setParams((now) => { now.set("tab", one ?? tab); return now; }, { replace: true, preventScrollReset: true });
        }}
      >
        <Tabs.List mb="md">
          {tabs.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="tables"><Tables dataset={dataset} /></Tabs.Panel>
        <Tabs.Panel value="profile"><Profile name={name} latest={dataset.latest} /></Tabs.Panel>
        <Tabs.Panel value="risk"><Risk name={name} latest={dataset.latest} /></Tabs.Panel>
        <Tabs.Panel value="quality"><Quality name={name} /></Tabs.Panel>
        <Tabs.Panel value="versions"><Versions name={name} /></Tabs.Panel>
        <Tabs.Panel value="lineage"><Lineage name={name} /></Tabs.Panel>
        <Tabs.Panel value="access"><Access name={name} /></Tabs.Panel>
        <Tabs.Panel value="openings"><Openings dataset={dataset} /></Tabs.Panel>
      </Tabs>
      <Modal opened={asking} onClose={close} size="lg" title={t("ask.title", { name: dataset.title })} closeButtonProps={{ "aria-label": t("ask.close") }}>
        <AskAccess dataset={dataset} onDone={close} />
      </Modal>
      <Modal opened={giving} onClose={giver.close} size="lg" title={t("give.title", { name: dataset.title })} closeButtonProps={{ "aria-label": t("give.close") }}>
        <GiveAccess dataset={dataset} onDone={giver.close} />
      </Modal>
    </Page>
  );
}
