/** What is known of the node that is chosen, with where to go on. */
import { Anchor, Group, Switch, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";

type Node = Schema<"FlowNode">;
const FACTS = ["project", "rows", "rows_in", "rows_committed", "rows_quarantined", "version", "size_bytes"] as const;

/** The page of what a node stands for; only where one may go. */
function usePlaceOf(): (node: Node) => string | undefined {
  const may = useMay();
  return ({ id, kind, facts }) => {
    const name = id.slice(kind.length + 1);
    const fact = (key: string) => (typeof facts[key] === "string" ? facts[key] : "");
    switch (kind) {
      case "delivery":
        return may("deliveries:read") ? `/deliveries/${name}` : undefined;
      case "contract":
        return may("contracts:read") ? `/contracts/${name.split("@")[0] ?? ""}` : undefined;
      case "table":
        return may("datasets:read") ? `/data/${fact("dataset")}?${new URLSearchParams({ table: fact("table") }).toString()}` : undefined;
      case "query":
        return may("queries:read:own") ? `/sql?${new URLSearchParams({ query: name }).toString()}` : undefined;
      case "workspace":
        return may("workspaces:read:own") && !name.startsWith("share/") ? `/machines/${name}` : undefined;
      case "release":
      case "incoming":
        return may("airlock:read:own") ? `/airlock/${name.split("/")[0] ?? ""}` : undefined;
      default:
        return undefined;
    }
  };
}

export function Chosen({ node, only, onOnly }: { node: Node | undefined; only: boolean; onOnly: (only: boolean) => void }) {
  const { t } = useTranslation("flows");
  const format = useFormat();
  const place = usePlaceOf();
  if (node === undefined) {
    return <div role="status"><Text size="sm" c="dimmed">{t("choose")}</Text></div>;
  }
  const facts = FACTS.flatMap((key) => {
    const value: unknown = node.facts[key];
    if (typeof value === "number") return [t(`fact.${key}`, { value: key === "size_bytes" ? format.bytes(value) : format.number(value) })];
    return typeof value === "string" ? [t(`fact.${key}`, { value })] : [];
  });
  const to = place(node);
  return (
    <Group gap="sm" justify="space-between">
      <div role="status">
        <Group gap="xs">
          <Text size="sm" fw={600}>{node.label}</Text>
          <Text size="sm">{[t(`kind.${node.kind}`), ...(node.facts.failed === true ? [t("failed")] : []), ...facts, ...(node.at ? [format.dateTime(node.at)] : [])].join(" · ")}</Text>
          {to !== undefined && <Anchor size="sm" component={Link} to={to}>{t("open")}</Anchor>}
        </Group>
      </div>
      <Switch size="sm" label={t("only")} checked={only} onChange={(event) => { onOnly(event.currentTarget.checked); }} />
    </Group>
  );
}
