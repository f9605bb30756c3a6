/** A project: its people, what it may read, what it spends, its code and packages. The part shown is in the address. */
import { Button, Skeleton, Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link, useParams, useSearchParams } from "react-router";
import { api } from "../../api/atoll";
import { useMay } from "../../app/session";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Code } from "./Code";
import { Data } from "./Data";
import { Packages } from "./Packages";
import { People } from "./People";
import { Spend } from "./Spend";

const TABS = ["people", "data", "spend", "code", "packages"] as const;

export function Component() {
  const { t } = useTranslation("projects");
  const { name = "" } = useParams();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const asked = api.useQuery("get", "/api/v1/projects/{name}", { params: { path: { name } } });
  const project = asked.data;
  if (project === undefined) {
    return <Page title={name}>{asked.error === null ? <Skeleton h={320} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />}</Page>;
  }
  const shown = { people: true, data: may("grants:read:own"), spend: may("projects:read:own"), code: may("repositories:read:own"), packages: may("packages:read:own") };
  const tabs = TABS.filter((one) => shown[one]);
  const tab = tabs.find((one) => one === params.get("tab")) ?? "people";
  return (
    <Page
      title={project.title}
      about={t("one.about", { name })}
      actions={
        <>
          <Button component={Link} to="/projects" variant="subtle">{t("back")}</Button>
          {may("airlock:read:own") && <Button component={Link} to={`/airlock?project=${name}`} variant="default">{t("one.airlock")}</Button>}
        </>
      }
    >
      <Tabs value={tab} keepMounted={false} onChange={(one) => { setParams((now) => { now.set("tab", one ?? tab); return now; }, { replace: true, preventScrollReset: true }); }}>
        <Tabs.List mb="md">
          {tabs.map((one) => <Tabs.Tab key={one} value={one}>{t(`tab.${one}`)}</Tabs.Tab>)}
        </Tabs.List>
        <Tabs.Panel value="people"><People project={project} /></Tabs.Panel>
        <Tabs.Panel value="data"><Data name={name} /></Tabs.Panel>
        <Tabs.Panel value="spend"><Spend name={name} /></Tabs.Panel>
        <Tabs.Panel value="code"><Code name={name} /></Tabs.Panel>
        <Tabs.Panel value="packages"><Packages name={name} /></Tabs.Panel>
      </Tabs>
    </Page>
  );
}
