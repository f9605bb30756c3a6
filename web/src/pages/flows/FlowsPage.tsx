/** Where data came from and where it went, as a graph with a list beside; what is asked and chosen is in the address. */
import { Button, Select, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { IconDownload } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, atoll } from "../../api/atoll";
import { useListing } from "../../api/listing";
import { useFormat } from "../../app/format";
import { save } from "../../parts/DataTable/csv";
import { Empty } from "../../parts/Empty";
import { Graph } from "../../parts/Graph";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { dayOf, endOf, startOf } from "../../parts/days";
import { FilterText } from "../deliveries/FilterText";
import { Chosen } from "./Chosen";
import classes from "./flows.module.css";
import { Passed } from "./Passed";
import { wayOf } from "./way";

/** Events asked for at once. */
const EVENTS = 200;

export function Component() {
  const { t } = useTranslation("flows");
  const format = useFormat();
  const [params, setParams] = useSearchParams();
  const set = (change: Record<string, string | null>) => {
    setParams((now) => {
      for (const [name, value] of Object.entries(change)) {
        if (value === null || value === "") now.delete(name);
        else now.set(name, value);
      }
      return now;
    }, { preventScrollReset: true });
  };
  const [dataset, person, before] = ["dataset", "person", "before"].map((name) => params.get(name) ?? "") as [string, string, string];
  const [since, until] = [dayOf(params.get("since")), dayOf(params.get("until"))];
  const only = params.get("only") === "1";
  const query = {
    ...(dataset && { dataset }),
    ...(person && { person }),
    ...(since && { since: startOf(since) }),
    ...(before ? { until: before } : until && { until: endOf(until) }),
  };
  const datasets = useListing("/api/v1/datasets", undefined, { limit: 1000 });
  const asked = api.useQuery("get", "/api/v1/flows/graph", { params: { query: { ...query, limit: EVENTS } } });
  const chosen = asked.data?.nodes.find(({ id }) => id === params.get("node"));
  const shown = useMemo(() => {
    const all = { nodes: asked.data?.nodes ?? [], edges: asked.data?.edges ?? [] };
    return only && chosen !== undefined ? wayOf(chosen.id, all) : all;
  }, [asked.data, only, chosen]);
  const nodes = useMemo(() => shown.nodes.map(({ id, kind, label }) => ({ id, kind, label, detail: t(`kind.${kind}`) })), [shown, t]);
  const edges = useMemo(() => shown.edges.map(({ from, to }) => ({ from, to })), [shown]);
  const events = useMutation({
    mutationFn: async () => {
      const { data } = await atoll.GET("/api/v1/flows", { params: { query: { ...query, limit: 1000 } } });
      save("openlineage.ndjson", new Blob(data?.items.map((event) => `${JSON.stringify(event)}\n`), { type: "application/x-ndjson" }));
    },
  });
  const names = datasets.rows.map(({ name }) => name);
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={events.isPending} onClick={() => { events.mutate(); }}>
          {t("events")}
        </Button>
      }
    >
      <Problem error={events.error} />
      <div className={classes.filters} role="search" aria-label={t("filters")}>
        <Select
          label={t("dataset")}
          placeholder={t("all")}
          clearable
          searchable
          clearButtonProps={{ "aria-label": t("anyDataset") }}
          data={dataset === "" || names.includes(dataset) ? names : [dataset, ...names]}
          value={dataset === "" ? null : dataset}
          onChange={(value) => { set({ dataset: value, before: null, node: null }); }}
        />
        <FilterText key={person} label={t("person")} value={person} onChange={(value) => { set({ person: value, before: null, node: null }); }} />
        <TextInput type="date" label={t("since")} value={since} onChange={(event) => { set({ since: event.currentTarget.value, before: null }); }} />
        <TextInput type="date" label={t("until")} value={until} onChange={(event) => { set({ until: event.currentTarget.value, before: null }); }} />
        {before !== "" && (
          <Button variant="light" onClick={() => { set({ before: null }); }}>
            {t("newest", { when: format.dateTime(before) })}
          </Button>
        )}
      </div>
      {asked.error !== null ? (
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isPending ? (
        <Skeleton h={460} />
      ) : shown.nodes.length === 0 ? (
        <Section title={t("graph")}><Empty title={t("none")}>{t("teach")}</Empty></Section>
      ) : (
        <div className={classes.beside}>
          <Section title={t("graph")}>
            <Stack gap="sm">
              <Graph title={t("count", { count: asked.data.events })} nodes={nodes} edges={edges} height={460} onChoose={({ id }) => { set({ node: id }); }} />
              <Chosen node={chosen} only={only} onOnly={(one) => { set({ only: one ? "1" : null }); }} />
              {asked.data.more && (
                <Text size="xs" c="dimmed" component="div">
                  {t("more")}{" "}
                  {asked.data.oldest && <Button size="compact-xs" variant="default" onClick={() => { set({ before: asked.data.oldest ?? null, node: null }); }}>{t("earlier")}</Button>}
                </Text>
              )}
            </Stack>
          </Section>
          <Passed nodes={shown.nodes} chosen={chosen?.id} onChoose={(id) => { set({ node: id }); }} />
        </div>
      )}
    </Page>
  );
}
