/** What the project may read, and what it asked to read: withdrawn by who asked, decided by a steward of no part in it. */
import { Anchor, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import classes from "./projects.module.css";

type Grant = Item<"/api/v1/grants">;
type Asked = Item<"/api/v1/grant-requests">;
type Deed = "approve" | "refuse";

/** States in the words that StateBadge has. */
function stateOf(state: Grant["state"] | Asked["state"]): string {
  return state === "in_force" ? "active" : state === "lapsed" ? "expired" : state;
}

function refreshAccess(): Promise<void> {
  return refresh("/api/v1/grants", "/api/v1/grant-requests", "/api/v1/grant-requests/{id}");
}

export function Data({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const { login, projects } = useSession();
  const grants = useListing("/api/v1/grants", { query: { project: name } });
  const requests = useListing("/api/v1/grant-requests", { query: { project: name } });
  const [ending, setEnding] = useState<Asked | null>(null);
  const [revoking, setRevoking] = useState<Grant | null>(null);
  const [deciding, setDeciding] = useState<{ request: Asked; deed: Deed } | null>(null);
  const own = projects.some((one) => one.name === name);
  const decides = may("grants:write") && !own;
  const revokes = may("grants:write");
  const withdraw = api.useMutation("delete", "/api/v1/grant-requests/{id}", {
    onSuccess: async () => {
      setEnding(null);
      await refreshAccess();
    },
  });
  const revoke = api.useMutation("delete", "/api/v1/grants/{id}", {
    onSuccess: async () => {
      setRevoking(null);
      await refreshAccess();
    },
  });
  const partOf = useMemo(
    () => ({ tables, version }: Pick<Grant, "tables" | "version">) => {
      const part = tables === null
        ? t("data.whole")
        : tables.map(({ table, columns, row_filter }) => [columns ? `${table} (${columns.join(", ")})` : table, row_filter].filter(Boolean).join(" – ")).join("; ");
      return version === null ? part : t("data.atVersion", { part, version });
    },
    [t],
  );
  const granted = useMemo<Column<Grant>[]>(
    () => [
      { key: "dataset", title: t("data.dataset"), value: ({ dataset }) => dataset, cell: ({ dataset }) => <Anchor component={Link} to={`/data/${dataset}`} size="sm" fw={500}>{dataset}</Anchor> },
      { key: "state", title: t("data.state"), value: ({ state }) => state, cell: ({ state }) => <StateBadge state={stateOf(state)} /> },
      { key: "part", title: t("data.part"), cell: (one) => <Text size="sm" maw="22rem" className={classes.told}>{partOf(one)}</Text> },
      { key: "why", title: t("data.why"), value: ({ reason }) => reason, cell: ({ reason }) => <Text size="sm" maw="22rem" className={classes.told}>{reason}</Text> },
      { key: "by", title: t("data.grantedBy"), value: ({ granted_by }) => granted_by, cell: ({ granted_by, granted_at }) => <>{granted_by} <Text span inherit c="dimmed"><When at={granted_at} /></Text></> },
      { key: "until", title: t("data.until"), value: ({ expires_at }) => expires_at, cell: ({ expires_at }) => (expires_at === null ? t("data.noEnd") : <When at={expires_at} absolute />) },
      ...(revokes
        ? [{ key: "deeds", title: t("member.deeds"), cell: (one: Grant) => one.state === "in_force" && <Button size="compact-sm" variant="default" aria-label={t("data.revokeOne", { dataset: one.dataset })} onClick={() => { setRevoking(one); }}>{t("data.revoke")}</Button> }]
        : []),
    ],
    [t, partOf, revokes],
  );
  const asked = useMemo<Column<Asked>[]>(
    () => [
      { key: "dataset", title: t("data.dataset"), value: ({ dataset }) => dataset, cell: ({ dataset }) => <Anchor component={Link} to={`/data/${dataset}`} size="sm" fw={500}>{dataset}</Anchor> },
      {
        key: "state",
        title: t("data.state"),
        value: ({ state }) => state,
        cell: ({ state, reason, decided_by }) => (
          <>
            <StateBadge state={stateOf(state)} />
            {decided_by !== null && <Text size="xs" c="dimmed" maw="18rem" className={classes.told}>{[decided_by, reason].filter(Boolean).join(": ")}</Text>}
          </>
        ),
      },
      { key: "part", title: t("data.part"), cell: (one) => <Text size="sm" maw="22rem" className={classes.told}>{partOf(one)}</Text> },
      { key: "purpose", title: t("data.purpose"), value: ({ purpose }) => purpose, cell: ({ purpose }) => <Text size="sm" maw="22rem" className={classes.told}>{purpose}</Text> },
      { key: "by", title: t("data.askedBy"), value: ({ requested_by }) => requested_by, cell: ({ requested_by, requested_at }) => <>{requested_by} <Text span inherit c="dimmed"><When at={requested_at} /></Text></> },
      { key: "until", title: t("data.until"), value: ({ expires_at }) => expires_at, cell: ({ expires_at }) => (expires_at === null ? t("data.noEnd") : <When at={expires_at} absolute />) },
      {
        key: "deeds",
        title: t("member.deeds"),
        cell: (request) => request.state === "waiting" && (
          <Group gap={4} wrap="nowrap">
            {request.requested_by === login && <Button size="compact-sm" variant="default" aria-label={t("data.withdrawOne", { dataset: request.dataset })} onClick={() => { setEnding(request); }}>{t("data.withdraw")}</Button>}
            {decides && request.requested_by !== login && (
              <>
                <Button size="compact-sm" variant="light" aria-label={t("data.approveOne", { dataset: request.dataset })} onClick={() => { setDeciding({ request, deed: "approve" }); }}>{t("data.approve")}</Button>
                <Button size="compact-sm" variant="default" aria-label={t("data.refuseOne", { dataset: request.dataset })} onClick={() => { setDeciding({ request, deed: "refuse" }); }}>{t("data.refuse")}</Button>
              </>
            )}
          </Group>
        ),
      },
    ],
    [t, partOf, login, decides],
  );
  return (
    <Stack>
      <Section title={t("data.grants")}>
        <DataTable plain title={t("data.grants")} listing={grants} columns={granted} rowKey={({ id }) => id} empty={<Empty title={t("data.noGrants")}>{t("data.teachGrants")}</Empty>} />
      </Section>
      <Section title={t("data.requests")}>
        <DataTable
          plain
          title={t("data.requests")}
          listing={requests}
          columns={asked}
          rowKey={({ id }) => id}
          empty={<Empty title={t("data.noRequests")} action={may("grants:request") && <Button component={Link} to="/data" variant="light" mt="xs">{t("data.find")}</Button>}>{t("data.teachRequests")}</Empty>}
        />
      </Section>
      <Confirm opened={ending !== null} onClose={() => { setEnding(null); }} title={t("data.withdrawSure")} label={t("data.withdraw")} onConfirm={() => { if (ending !== null) withdraw.mutate({ params: { path: { id: ending.id } } }); }} busy={withdraw.isPending} error={withdraw.error}>
        {t("data.withdrawMeans")}
      </Confirm>
      <Confirm opened={revoking !== null} onClose={() => { setRevoking(null); }} title={t("data.revokeSure", { dataset: revoking?.dataset ?? "" })} label={t("data.revoke")} onConfirm={() => { if (revoking !== null) revoke.mutate({ params: { path: { id: revoking.id } } }); }} busy={revoke.isPending} error={revoke.error}>
        {t("data.revokeMeans")}
      </Confirm>
      <Modal opened={deciding !== null} onClose={() => { setDeciding(null); }} title={deciding && t(`data.${deciding.deed}One`, { dataset: deciding.request.dataset })} closeButtonProps={{ "aria-label": t("close") }}>
        {deciding !== null && <Decide request={deciding.request} deed={deciding.deed} part={partOf(deciding.request)} onDone={() => { setDeciding(null); }} />}
      </Modal>
    </Stack>
  );
}

function Decide({ request: { id, purpose, requested_by }, deed, part, onDone }: { request: Asked; deed: Deed; part: string; onDone: () => void }) {
  const { t } = useTranslation("projects");
  const [reason, setReason] = useState("");
  const whole = api.useQuery("get", "/api/v1/grant-requests/{id}", { params: { path: { id } } });
  const onSuccess = async () => {
    toast(t(`data.${deed}Done`));
    onDone();
    await refreshAccess();
  };
  const approve = api.useMutation("post", "/api/v1/grant-requests/{id}/approve", { onSuccess });
  const refuse = api.useMutation("post", "/api/v1/grant-requests/{id}/refuse", { onSuccess });
  const decide = deed === "approve" ? approve : refuse;
  return (
    <form onSubmit={(event) => { event.preventDefault(); decide.mutate({ params: { path: { id } }, body: { reason: reason.trim() } }); }}>
      <Stack>
        <Text size="sm" className={classes.told}>{t("data.asks", { login: requested_by, part })}</Text>
        <Text size="sm" className={classes.told}>{purpose}</Text>
        {deed === "approve" && whole.data?.replaces != null && <Text size="sm" fw={500}>{t("data.replaces")}</Text>}
        <Textarea label={t("data.reason")} description={t("data.reasonHelp")} required autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} data-autofocus />
        <Problem error={decide.error ?? whole.error} />
        <Group justify="flex-end"><Button type="submit" disabled={reason.trim() === ""} loading={decide.isPending}>{t(`data.${deed}`)}</Button></Group>
      </Stack>
    </form>
  );
}
