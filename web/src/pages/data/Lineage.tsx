/** Where a dataset came from and where it went. What is chosen is told below. */
import { Anchor, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Graph } from "../../parts/Graph";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

const FACTS = ["person", "project", "rows", "version"] as const;

export function Lineage({ name }: { name: string }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const may = useMay();
  const [chosen, setChosen] = useState("");
  const asked = api.useQuery("get", "/api/v1/datasets/{name}/lineage", { params: { path: { name } } });
  const nodes = useMemo(
    () => (asked.data?.nodes ?? []).map(({ id, kind, label }) => ({ id, kind, label, detail: t(`lineage.kind.${kind}`) })),
    [asked.data, t],
  );
  const edges = useMemo(() => (asked.data?.edges ?? []).map(({ from, to }) => ({ from, to })), [asked.data]);
  const node = asked.data?.nodes.find(({ id }) => id === chosen);
  const facts = FACTS.flatMap((key) => {
    const value: unknown = node?.facts[key];
    return typeof value === "string" || typeof value === "number" ? [t(`lineage.fact.${key}`, { value: typeof value === "number" ? format.number(value) : value })] : [];
  });
  return (
    <Section title={t("tab.lineage")}>
      {asked.isPending ? (
        <Skeleton h={420} />
      ) : asked.error !== null ? (
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : nodes.length === 0 ? (
        <Empty title={t("lineage.none")}>{t("lineage.teach")}</Empty>
      ) : (
        <Stack gap="sm">
          <Graph title={t("lineage.title")} nodes={nodes} edges={edges} onChoose={({ id }) => { setChosen(id); }} />
          <div role="status">
            {node === undefined ? (
              <Text size="sm" c="dimmed">{t("lineage.choose")}</Text>
            ) : (
              <Group gap="xs">
                <Text size="sm" fw={600}>{node.label}</Text>
                <Text size="sm">{[t(`lineage.kind.${node.kind}`), ...facts, ...(node.at ? [format.dateTime(node.at)] : [])].join(" · ")}</Text>
                {node.kind === "query" && may("queries:read:own") && (
                  <Anchor size="sm" component={Link} to={`/sql?${new URLSearchParams({ query: node.id.slice("query/".length) }).toString()}`}>
                    {t("lineage.open")}
                  </Anchor>
                )}
              </Group>
            )}
          </div>
          {asked.data.more && <Text size="xs" c="dimmed">{t("lineage.more", { count: asked.data.events })}</Text>}
        </Stack>
      )}
    </Section>
  );
}
