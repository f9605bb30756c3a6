/** A dataset's contract: as words, as YAML, its versions, and how two of them differ. */
import { Group, Select, Skeleton, Stack, Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useParams, useSearchParams } from "react-router";
import { api } from "../../api/atoll";
import { useListing } from "../../api/listing";
import { useFormat } from "../../app/format";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { SqlEditor } from "../../parts/SqlEditor";
import { Changes, Words } from "./Words";

export function Component() {
  const { t } = useTranslation("contracts");
  const format = useFormat();
  const { dataset = "" } = useParams();
  const [search, setSearch] = useSearchParams();
  const set = (name: string, value: string | null) => {
    setSearch((now) => {
      if (value === null) now.delete(name);
      else now.set(name, value);
      return now;
    }, { replace: true });
  };
  const versions = useListing("/api/v1/contracts/{dataset}/versions", { path: { dataset } });
  const number = Number(search.get("number")) || versions.rows[0]?.number;
  const params = { path: { dataset }, query: number === undefined ? {} : { number } };
  const contract = api.useQuery("get", "/api/v1/contracts/{dataset}", { params });
  const explained = api.useQuery("get", "/api/v1/contracts/{dataset}/explain", { params });
  const before = Number(search.get("before")) || null;
  const choices = versions.rows.map((one) => ({ value: String(one.number), label: t("version", { number: one.number, by: one.published_by, when: format.dateTime(one.published_at) }) }));
  return (
    <Page title={t("of", { dataset })} about={t("aboutOne")}>
      <Group align="flex-end">
        <Select label={t("shown")} miw="22rem" allowDeselect={false} value={number === undefined ? null : String(number)} onChange={(value) => { set("number", value); }} data={choices} />
        {choices.length > 1 && (
          <Select label={t("compare")} miw="22rem" clearable clearButtonProps={{ "aria-label": t("noCompare") }} value={before === null ? null : String(before)} onChange={(value) => { set("before", value); }} data={choices} />
        )}
      </Group>
      <Problem error={versions.error ?? contract.error ?? explained.error} onRetry={versions.retry} />
      {before !== null && number !== undefined && <Compared dataset={dataset} before={before} after={number} />}
      <Section title={t("text")}>
        <Tabs value={search.get("as") === "yaml" ? "yaml" : "words"} onChange={(value) => { set("as", value); }} keepMounted={false}>
          <Tabs.List mb="sm">
            <Tabs.Tab value="words">{t("asWords")}</Tabs.Tab>
            <Tabs.Tab value="yaml">{t("asYaml")}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="words">{explained.data === undefined ? <Skeleton h={200} /> : <Words explanation={explained.data} />}</Tabs.Panel>
          <Tabs.Panel value="yaml">{contract.data === undefined ? <Skeleton h={200} /> : <SqlEditor key={contract.data.id} readOnly language="yaml" label={t("asYaml")} value={contract.data.text} height={520} />}</Tabs.Panel>
        </Tabs>
      </Section>
    </Page>
  );
}

function Compared({ dataset, before, after }: { dataset: string; before: number; after: number }) {
  const { t } = useTranslation("contracts");
  const asked = api.useQuery("get", "/api/v1/contracts/{dataset}/comparison", { params: { path: { dataset }, query: { before, after } } });
  return (
    <Section title={t("compared", { before, after })}>
      <Stack>
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
        {asked.data && <Changes comparison={asked.data} />}
      </Stack>
    </Section>
  );
}
