/** Encrypted values: asked for by one, approved by another, taken once by the person named. */
import { Alert, Button, Group, Modal, Stack, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { complete, useListing, type Item } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { AskOpening } from "./AskOpening";

type Opening = Item<"/api/v1/openings">;
type Deed = "approve" | "refuse" | "withdraw" | "take";
const HERE = { isPending: false, error: null, refetch: () => undefined };

export function Openings({ dataset }: { dataset: Schema<"DatasetDescription"> }) {
  const { t } = useTranslation("openings");
  const { login } = useSession();
  const may = useMay();
  const listing = useListing("/api/v1/openings", { query: { dataset: dataset.name } });
  const [asking, { open, close }] = useDisclosure(false);
  const [chosen, setChosen] = useState<{ opening: Opening; deed: Deed } | null>(null);
  const columns = useMemo<Column<Opening>[]>(() => {
    const deedsOf = ({ state, asked_by, recipient }: Opening): Deed[] => {
      if (state === "approved") return recipient === login && may("openings:take") ? ["take"] : [];
      if (state !== "waiting" || !may("openings:write")) return [];
      if (asked_by === login) return ["withdraw"];
      return recipient === login ? [] : ["approve", "refuse"];
    };
    return [
      { key: "what", title: t("what"), value: ({ table }) => table, cell: (one) => <Text size="sm">{t(one.whole ? "whole" : one.values.length > 0 ? "ofValues" : "ofSubjects", { table: one.table, columns: one.columns.join(", "), count: one.cells })}</Text> },
      { key: "state", title: t("state"), value: ({ state }) => state, cell: ({ state, decision }) => <StateBadge state={state} reason={decision} /> },
      { key: "for", title: t("for"), value: ({ recipient }) => recipient, cell: ({ recipient }) => recipient },
      { key: "why", title: t("why"), value: ({ reason }) => reason, cell: ({ reason }) => <Text size="sm" maw="24rem">{reason}</Text> },
      { key: "by", title: t("by"), value: ({ asked_by }) => asked_by, cell: ({ asked_by, asked_at }) => <>{asked_by} <Text span inherit c="dimmed"><When at={asked_at} /></Text></> },
      { key: "until", title: t("until"), value: ({ expires_at }) => expires_at, cell: ({ state, expires_at, handed_at }) => (state === "waiting" || state === "approved" ? <When at={expires_at} /> : handed_at === null ? null : <When at={handed_at} absolute />) },
      { key: "deeds", title: t("deeds"), cell: (one) => (
        <Group gap="xs">
          {deedsOf(one).map((deed) => (
            <Button key={deed} size="compact-sm" variant={deed === "approve" || deed === "take" ? "filled" : "default"} onClick={() => { setChosen({ opening: one, deed }); }}>{t(`deed.${deed}`)}</Button>
          ))}
        </Group>
      ) },
    ];
  }, [t, login, may]);
  return (
    <Section title={t("title")} aside={may("openings:write") && <Button size="compact-md" variant="default" onClick={open}>{t("ask")}</Button>}>
      <Stack>
        <Text size="sm" c="dimmed">{t("about")}</Text>
        <DataTable plain title={t("title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("none")}>{t("teach")}</Empty>} />
      </Stack>
      <Modal opened={asking} onClose={close} size="lg" title={t("ask")} closeButtonProps={{ "aria-label": t("close") }}>
        <AskOpening dataset={dataset} onDone={close} />
      </Modal>
      <Modal opened={chosen !== null} onClose={() => { setChosen(null); }} size="xl" title={t("sure")} closeButtonProps={{ "aria-label": t("close") }}>
        {chosen !== null && (chosen.deed === "take" ? <Take opening={chosen.opening} /> : <Decide {...chosen} deed={chosen.deed} onDone={() => { setChosen(null); }} />)}
      </Modal>
    </Section>
  );
}

function Decide({ opening, deed, onDone }: { opening: Opening; deed: Exclude<Deed, "take">; onDone: () => void }) {
  const { t } = useTranslation("openings");
  const [reason, setReason] = useState("");
  const onSuccess = async () => {
    onDone();
    toast(t("kept"));
    await refresh("/api/v1/openings");
  };
  const approve = api.useMutation("post", "/api/v1/openings/{id}/approve", { onSuccess });
  const refuse = api.useMutation("post", "/api/v1/openings/{id}/refuse", { onSuccess });
  const withdraw = api.useMutation("delete", "/api/v1/openings/{id}", { onSuccess });
  const params = { path: { id: opening.id } };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (deed === "approve") approve.mutate({ params, body: { reason } });
        if (deed === "refuse") refuse.mutate({ params, body: { reason } });
        if (deed === "withdraw") withdraw.mutate({ params });
      }}
    >
      <Stack>
        <Text size="sm">{t(`means.${deed}`, { name: opening.recipient, count: opening.cells, hours: opening.hours })}</Text>
        <Text size="sm">{opening.reason}</Text>
        {deed !== "withdraw" && <Textarea label={t("decision")} required value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} data-autofocus />}
        <Problem error={approve.error ?? refuse.error ?? withdraw.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={approve.isPending || refuse.isPending || withdraw.isPending} {...(deed === "approve" ? {} : { color: "red" })}>{t(`deed.${deed}`)}</Button>
        </Group>
      </Stack>
    </form>
  );
}

/** The values are asked for once and live in this dialog only. */
function Take({ opening }: { opening: Opening }) {
  const { t } = useTranslation("openings");
  const take = api.useMutation("post", "/api/v1/openings/{id}/take", { onSuccess: () => refresh("/api/v1/openings"), gcTime: 0 });
  const columns = useMemo<Column<Schema<"OpenedValue">>[]>(
    () => [
      { key: "subject", title: t("subject"), value: ({ subject }) => subject, cell: ({ subject }) => subject },
      { key: "column", title: t("column"), value: ({ column }) => column, cell: ({ column }) => column },
      { key: "value", title: t("value"), value: ({ value }) => value, cell: ({ value }) => value },
    ],
    [t],
  );
  if (take.data !== undefined) {
    return (
      <Stack>
        <Alert color="yellow" role="status" title={t("once")} />
        <DataTable title={t("values")} listing={complete(take.data.items, HERE)} columns={columns} rowKey={({ encrypted }) => encrypted} empty={<Empty title={t("none")}>{t("teach")}</Empty>} />
      </Stack>
    );
  }
  return (
    <Stack>
      <Text size="sm">{t("means.take", { count: opening.cells })}</Text>
      <Problem error={take.error} />
      <Group justify="flex-end">
        <Button loading={take.isPending} onClick={() => { take.mutate({ params: { path: { id: opening.id } } }); }}>{t("deed.take")}</Button>
      </Group>
    </Stack>
  );
}
