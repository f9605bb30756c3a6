/** Who may read it, and who asked. */
import { Button, Stack, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { useSession } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

type Grant = Item<"/api/v1/grants">;
type Asked = Item<"/api/v1/grant-requests">;

/** States in the words that StateBadge has. */
function stateOf(state: Grant["state"] | Asked["state"]): string {
  return state === "in_force" ? "active" : state === "lapsed" ? "expired" : state;
}

export function Access({ name }: { name: string }) {
  const { t } = useTranslation("data");
  const { login } = useSession();
  const grants = useListing("/api/v1/grants", { query: { dataset: name } });
  const requests = useListing("/api/v1/grant-requests", { query: { dataset: name } });
  const [ending, setEnding] = useState<Asked | null>(null);
  const withdraw = api.useMutation("delete", "/api/v1/grant-requests/{id}", {
    onSuccess: async () => {
      setEnding(null);
      await refresh("/api/v1/grant-requests");
    },
  });
  const partOf = useMemo(
    () => ({ tables, version }: Pick<Grant, "tables" | "version">) => {
      const part = tables === null
        ? t("access.whole")
        : tables.map(({ table, columns, row_filter }) => [columns ? `${table} (${columns.join(", ")})` : table, row_filter].filter(Boolean).join(" – ")).join("; ");
      return version === null ? part : t("access.atVersion", { part, version });
    },
    [t],
  );
  const granted = useMemo<Column<Grant>[]>(
    () => [
      { key: "project", title: t("access.project"), value: ({ project }) => project, cell: ({ project }) => project },
      { key: "state", title: t("access.state"), value: ({ state }) => state, cell: ({ state }) => <StateBadge state={stateOf(state)} /> },
      { key: "part", title: t("access.part"), cell: (one) => <Text size="sm" maw="24rem">{partOf(one)}</Text> },
      { key: "why", title: t("access.why"), value: ({ reason }) => reason, cell: ({ reason }) => <Text size="sm" maw="24rem">{reason}</Text> },
      { key: "until", title: t("access.until"), value: ({ expires_at }) => expires_at, cell: ({ expires_at }) => (expires_at === null ? t("access.noEnd") : <When at={expires_at} absolute />) },
    ],
    [t, partOf],
  );
  const asked = useMemo<Column<Asked>[]>(
    () => [
      { key: "project", title: t("access.project"), value: ({ project }) => project, cell: ({ project }) => project },
      { key: "state", title: t("access.state"), value: ({ state }) => state, cell: ({ state, reason }) => <StateBadge state={stateOf(state)} reason={reason} /> },
      { key: "part", title: t("access.part"), cell: (one) => <Text size="sm" maw="24rem">{partOf(one)}</Text> },
      { key: "purpose", title: t("access.purpose"), value: ({ purpose }) => purpose, cell: ({ purpose }) => <Text size="sm" maw="24rem">{purpose}</Text> },
      { key: "by", title: t("access.by"), value: ({ requested_by }) => requested_by, cell: ({ requested_by, requested_at }) => <>{requested_by} <Text span inherit c="dimmed"><When at={requested_at} /></Text></> },
      { key: "end", title: t("access.end"), cell: (one) => one.state === "waiting" && one.requested_by === login && (
        <Button size="compact-sm" variant="default" onClick={() => { setEnding(one); }}>
          {t("access.withdraw")}
        </Button>
      ) },
    ],
    [t, partOf, login],
  );
  return (
    <Stack>
      <Section title={t("access.requests")}>
        <DataTable plain title={t("access.requests")} listing={requests} columns={asked} rowKey={({ id }) => id} empty={<Empty title={t("access.noRequests")}>{t("access.teachRequests")}</Empty>} />
      </Section>
      <Section title={t("access.grants")}>
        <DataTable plain title={t("access.grants")} listing={grants} columns={granted} rowKey={({ id }) => id} empty={<Empty title={t("access.noGrants")}>{t("access.teachGrants")}</Empty>} />
      </Section>
      <Confirm
        opened={ending !== null}
        onClose={() => { setEnding(null); }}
        title={t("access.sure")}
        label={t("access.withdraw")}
        onConfirm={() => { if (ending !== null) withdraw.mutate({ params: { path: { id: ending.id } } }); }}
        busy={withdraw.isPending}
        error={withdraw.error}
      >
        {t("access.means")}
      </Confirm>
    </Stack>
  );
}
