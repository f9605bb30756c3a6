/** Keys of pseudonymisation domains, by id and never shown: rotated or destroyed by two persons, who read before what it means. */
import { Alert, Badge, Button, Code, Group, List, Modal, Skeleton, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { complete, useListing, type Item } from "../../api/listing";
import { useFormat } from "../../app/format";
import { useMay, useSession } from "../../app/session";
import { TONES } from "../../app/theme";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";

type Domain = Schema<"DomainState">;
type Change = Item<"/api/v1/key-changes">;
type Act = Schema<"KeyAct">;

const told = () => refresh("/api/v1/keys", "/api/v1/key-changes");

export function KeyRing() {
  const { t } = useTranslation("keys");
  return (
    <Stack>
      <Text size="sm" c="dimmed">{t("about")}</Text>
      <Domains />
      <Changes />
    </Stack>
  );
}

function Domains() {
  const { t } = useTranslation("keys");
  const format = useFormat();
  const may = useMay();
  const [wanted, setWanted] = useState<{ domain: string; act: Act } | null>(null);
  const asked = api.useQuery("get", "/api/v1/keys");
  const writes = may("keys:write");
  const columns = useMemo<Column<Domain>[]>(
    () => [
      { key: "domain", title: t("domain"), value: ({ domain }) => domain, cell: ({ domain }) => <Text size="sm" fw={500}>{domain}</Text> },
      { key: "key", title: t("key"), value: ({ key_id }) => key_id, cell: ({ key_id }) => (key_id === null ? <Badge variant="light" radius="sm" tt="none" color={TONES.bad}>{t("destroyed")}</Badge> : <Code>{key_id}</Code>) },
      { key: "since", title: t("since"), value: ({ created_at, destroyed_at }) => destroyed_at ?? created_at, cell: ({ created_at, destroyed_at }) => <When at={destroyed_at ?? created_at} absolute /> },
      { key: "datasets", title: t("datasets"), value: ({ datasets }) => datasets.join(" "), cell: ({ datasets }) => format.list(datasets) || "–" },
      ...(writes ? [{ key: "do", title: t("actions"), cell: ({ domain, key_id }: Domain) => key_id !== null && (
        <Group gap={4} wrap="nowrap">
          {(["rotate", "destroy"] as const).map((act) => (
            <Button key={act} size="compact-sm" variant="default" aria-label={t(`of.${act}`, { domain })} onClick={() => { setWanted({ domain, act }); }}>{t(`do.${act}`)}</Button>
          ))}
        </Group>
      ) }] : []),
    ],
    [t, format, writes],
  );
  return (
    <Section title={t("domains")}>
      <DataTable plain title={t("domains")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ domain }) => domain} empty={<Empty title={t("none")}>{t("teach")}</Empty>} />
      <Modal opened={wanted !== null} onClose={() => { setWanted(null); }} size="lg" title={wanted !== null && t(`sure.${wanted.act}`, { domain: wanted.domain })} closeButtonProps={{ "aria-label": t("close") }}>
        {wanted !== null && <Ask {...wanted} onDone={() => { setWanted(null); }} />}
      </Modal>
    </Section>
  );
}

function Means({ meaning }: { meaning: readonly string[] }) {
  const { t } = useTranslation("keys");
  return (
    <Alert color="orange" variant="light" title={t("means")}>
      <List size="sm">{meaning.map((one) => <List.Item key={one}>{one}</List.Item>)}</List>
    </Alert>
  );
}

function Ask({ domain, act, onDone }: { domain: string; act: Act; onDone: () => void }) {
  const { t } = useTranslation("keys");
  const [reason, setReason] = useState("");
  const meaning = api.useQuery("get", "/api/v1/keys/{domain}/meaning", { params: { path: { domain }, query: { act } } });
  const ask = api.useMutation("post", "/api/v1/key-changes", {
    onSuccess: async () => {
      toast(t("asked"));
      onDone();
      await told();
    },
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); ask.mutate({ body: { domain, act, reason } }); }}>
      <Stack>
        {meaning.isPending && <Skeleton h={80} />}
        {meaning.data !== undefined && <Means meaning={meaning.data.meaning} />}
        <Text size="sm">{t("another")}</Text>
        <Textarea label={t("reason")} description={t("reasonHelp")} required autosize minRows={2} maxLength={2000} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} data-autofocus />
        <Problem error={ask.error ?? meaning.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={ask.isPending} disabled={meaning.data === undefined}>{t("ask")}</Button>
        </Group>
      </Stack>
    </form>
  );
}

function Changes() {
  const { t } = useTranslation("keys");
  const may = useMay();
  const { login } = useSession();
  const [deciding, setDeciding] = useState<Change | null>(null);
  const listing = useListing("/api/v1/key-changes");
  const withdraw = api.useMutation("delete", "/api/v1/key-changes/{id}", { onSuccess: told });
  const writes = may("keys:write");
  const columns = useMemo<Column<Change>[]>(
    () => [
      { key: "domain", title: t("domain"), value: ({ domain }) => domain, cell: ({ domain }) => domain },
      { key: "act", title: t("what"), value: ({ act }) => t(`do.${act}`), cell: ({ act }) => t(`do.${act}`) },
      { key: "state", title: t("state"), value: ({ state }) => state, cell: ({ state, decision }) => <StateBadge state={state} reason={decision} /> },
      { key: "by", title: t("by"), value: ({ asked_by }) => asked_by, cell: ({ asked_by, asked_at }) => <>{asked_by} <Text span inherit c="dimmed"><When at={asked_at} /></Text></> },
      { key: "why", title: t("reason"), value: ({ reason }) => reason, cell: ({ reason }) => <Text size="sm" maw="22rem">{reason}</Text> },
      { key: "decided", title: t("decided"), value: ({ decided_by }) => decided_by, cell: ({ decided_by, decided_at }) => (decided_by === null ? "–" : <>{decided_by} <Text span inherit c="dimmed"><When at={decided_at} /></Text></>) },
      ...(writes ? [{ key: "do", title: t("actions"), cell: (one: Change) => one.state === "waiting" && (one.asked_by === login
        ? <Button size="compact-sm" variant="default" aria-label={t("withdrawOne", { domain: one.domain })} onClick={() => { withdraw.mutate({ params: { path: { id: one.id } } }); }}>{t("withdraw")}</Button>
        : <Button size="compact-sm" variant="default" aria-label={t("decideOne", { domain: one.domain })} onClick={() => { setDeciding(one); }}>{t("decide")}</Button>) }] : []),
    ],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- the mutation is the same each time
    [t, writes, login],
  );
  return (
    <Section title={t("changes")}>
      <Problem error={withdraw.error} />
      <DataTable plain title={t("changes")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("noChange")}>{t("teachChange")}</Empty>} />
      <Modal opened={deciding !== null} onClose={() => { setDeciding(null); }} size="lg" title={deciding !== null && t(`sure.${deciding.act}`, { domain: deciding.domain })} closeButtonProps={{ "aria-label": t("close") }}>
        {deciding !== null && <Decide change={deciding} onDone={() => { setDeciding(null); }} />}
      </Modal>
    </Section>
  );
}

function Decide({ change, onDone }: { change: Change; onDone: () => void }) {
  const { t } = useTranslation("keys");
  const [reason, setReason] = useState("");
  const [typed, setTyped] = useState("");
  const settled = async () => {
    onDone();
    await told();
  };
  const approve = api.useMutation("post", "/api/v1/key-changes/{id}/approve", { onSuccess: settled });
  const refuse = api.useMutation("post", "/api/v1/key-changes/{id}/refuse", { onSuccess: settled });
  const one = { params: { path: { id: change.id } }, body: { reason } };
  const destroys = change.act === "destroy";
  return (
    <form onSubmit={(event) => { event.preventDefault(); approve.mutate(one); }}>
      <Stack>
        <Means meaning={change.meaning} />
        <Text size="sm">{t("askedFor", { who: change.asked_by, reason: change.reason })}</Text>
        <Textarea label={t("decision")} required autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} data-autofocus />
        {destroys && <TextInput label={t("typed", { domain: change.domain })} description={t("typedHelp")} autoComplete="off" value={typed} onChange={(event) => { setTyped(event.currentTarget.value); }} />}
        <Problem error={approve.error ?? refuse.error} />
        <Group justify="flex-end">
          <Button variant="default" loading={refuse.isPending} disabled={reason.trim() === ""} onClick={() => { refuse.mutate(one); }}>{t("refuse")}</Button>
          <Button type="submit" {...(destroys && { color: "red" })} loading={approve.isPending} disabled={destroys && typed !== change.domain}>{t(`do.${change.act}`)}</Button>
        </Group>
      </Stack>
    </form>
  );
}
