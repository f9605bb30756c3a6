/** One delivery: how its admission went, its files, the rows held, and what is decided about them. */
import { Button, Group, Modal, Skeleton, Stack, Table, Text, Textarea } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { complete, useListing } from "../../api/listing";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Bytes, Count, When } from "../../parts/Figures";
import { OperationProgress } from "../../parts/OperationProgress";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";

type Delivery = Schema<"DeliveryAnswer">;

function changed(): Promise<void> {
  return refresh("/api/v1/deliveries", "/api/v1/deliveries/{id}", "/api/v1/deliveries/{id}/quarantine");
}

export function Component() {
  const { t } = useTranslation("deliveries");
  const { id = "" } = useParams();
  const may = useMay();
  const asked = api.useQuery("get", "/api/v1/deliveries/{id}", { params: { path: { id } } });
  const one = asked.data;
  const held = may("quarantine:read") || may("quarantine:read:own");
  return (
    <Page
      title={one === undefined ? t("one") : t("of", { dataset: one.dataset })}
      about={one && t("from", { source: one.source, by: one.opened_by })}
      actions={one && may("deliveries:decide") && <Decide delivery={one} />}
    >
      <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      {asked.isPending && <Skeleton h={200} />}
      {one !== undefined && (
        <>
          <Course delivery={one} />
          <Files delivery={one} />
          {held && one.outcome !== null && <Held id={id} />}
          {one.replays.length > 0 && <Replays delivery={one} />}
        </>
      )}
    </Page>
  );
}

function Course({ delivery: { state, opened_at, submitted_at, purged_at, outcome, operation, rejection } }: { delivery: Delivery }) {
  const { t } = useTranslation("deliveries");
  return (
    <Section title={t("course")} aside={<StateBadge state={state} />}>
      <Stack gap="sm">
        <Text size="sm" component="div">{t("opened")} <When at={opened_at} absolute /></Text>
        {submitted_at !== null && <Text size="sm" component="div">{t("submitted")} <When at={submitted_at} absolute /></Text>}
        {purged_at !== null && <Text size="sm" component="div">{t("purged")} <When at={purged_at} absolute /></Text>}
        {outcome?.dataset_version != null && <Text size="sm">{t("version", { number: outcome.dataset_version, contract: outcome.contract })}</Text>}
        {rejection !== null && (
          <Text size="sm" component="div" c="red">
            {t("rejected", { by: rejection.by, reason: rejection.reason })} <When at={rejection.at} absolute />
          </Text>
        )}
        {operation !== null && <OperationProgress operation={operation} />}
      </Stack>
    </Section>
  );
}

interface FileRow {
  name: string;
  bytes: number;
  received: boolean;
  outcome: Schema<"FileOutcome"> | undefined;
}

/** Fields that no rule of the contract names, with the number of rows that have each. */
function fieldsLeftOut(outcome: FileRow["outcome"]): string {
  return Object.entries(outcome?.left_out ?? {}).map(([field, rows]) => `${field} (${String(rows)})`).join(", ");
}

function Files({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation("deliveries");
  const rows = useMemo<FileRow[]>(
    () => delivery.files.map(({ name, size_bytes, received }) => ({ name, bytes: size_bytes, received, outcome: delivery.outcome?.files.find((file) => file.name === name) })),
    [delivery],
  );
  const columns = useMemo<Column<FileRow>[]>(
    () => [
      { key: "name", title: t("file"), value: ({ name }) => name, cell: ({ name }) => name },
      { key: "bytes", title: t("size"), figure: true, value: ({ bytes }) => bytes, cell: ({ bytes }) => <Bytes bytes={bytes} /> },
      { key: "table", title: t("table"), value: ({ outcome }) => outcome?.table, cell: ({ outcome }) => outcome?.table ?? "–" },
      {
        key: "fate",
        title: t("fate"),
        cell: ({ received, outcome }) =>
          outcome === undefined ? (
            t(received ? "received" : "missing")
          ) : (
            <>
              <Text size="sm" c={outcome.accepted ? "green" : "red"}>{t(outcome.accepted ? "accepted" : "turnedAway")}</Text>
              {outcome.message && <Text size="xs" c="dimmed">{outcome.message}</Text>}
              {outcome.drift.map(({ kind, table, column, message }) => (
                <Text key={`${kind} ${table} ${column}`} size="xs" title={message}>{t(`drift.${kind}`, { column })}</Text>
              ))}
            </>
          ),
      },
      { key: "in", title: t("rowsIn"), figure: true, value: ({ outcome }) => outcome?.rows_in, cell: ({ outcome }) => outcome?.rows_in != null && <Count value={outcome.rows_in} /> },
      { key: "committed", title: t("committed"), figure: true, value: ({ outcome }) => outcome?.rows_committed, cell: ({ outcome }) => outcome && <Count value={outcome.rows_committed} /> },
      { key: "held", title: t("held"), figure: true, value: ({ outcome }) => outcome?.rows_quarantined, cell: ({ outcome }) => outcome && <Count value={outcome.rows_quarantined} /> },
      {
        key: "left",
        title: t("left"),
        value: ({ outcome }) => fieldsLeftOut(outcome),
        cell: ({ outcome }) => fieldsLeftOut(outcome) || "–",
      },
    ],
    [t],
  );
  const { outcome } = delivery;
  return (
    <Section title={t("files")}>
      <Stack gap="sm">
        {outcome !== null && (
          <Text size="sm">
            {t("sum", { rows: outcome.rows_in, committed: outcome.rows_committed, held: outcome.rows_quarantined })}
          </Text>
        )}
        <DataTable plain title={t("files")} listing={complete(rows, { isPending: false, error: null, refetch: () => undefined })} columns={columns} rowKey={({ name }) => name} empty={<Empty title={t("noFiles")} />} />
      </Stack>
    </Section>
  );
}

function Held({ id }: { id: string }) {
  const { t } = useTranslation("deliveries");
  const listing = useListing("/api/v1/deliveries/{id}/quarantine", { path: { id } });
  const columns = useMemo<Column<Schema<"QuarantinedRow">>[]>(
    () => [
      { key: "file", title: t("file"), sort: "file", value: ({ file }) => file, cell: ({ file }) => file },
      { key: "row", title: t("row"), sort: "row", figure: true, value: ({ row }) => row, cell: ({ row }) => row !== null && <Count value={row} /> },
      { key: "column", title: t("column"), sort: "column", value: ({ column }) => column, cell: ({ column }) => column },
      { key: "why", title: t("why"), sort: "message", value: ({ message }) => message, cell: ({ message }) => message },
      { key: "masked", title: t("masked"), sort: "masked", value: ({ masked }) => masked, cell: ({ masked }) => <Text ff="monospace" size="sm">{masked}</Text> },
    ],
    [t],
  );
  return (
    <Section title={t("quarantine")}>
      <DataTable title={t("quarantine")} listing={listing} columns={columns} rowKey={(_, index) => String(index)} empty={<Empty title={t("noneHeld")}>{t("teachHeld")}</Empty>} />
    </Section>
  );
}

function Replays({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation("deliveries");
  return (
    <Section title={t("replays")}>
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{t("when")}</Table.Th>
            <Table.Th>{t("by")}</Table.Th>
            <Table.Th>{t("contract")}</Table.Th>
            <Table.Th ta="right">{t("committed")}</Table.Th>
            <Table.Th ta="right">{t("held")}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {delivery.replays.map((replay) => (
            <Table.Tr key={replay.number}>
              <Table.Td><When at={replay.finished_at} absolute /></Table.Td>
              <Table.Td>{replay.asked_by}</Table.Td>
              <Table.Td>{replay.contract}</Table.Td>
              <Table.Td ta="right"><Count value={replay.rows_committed} /></Table.Td>
              <Table.Td ta="right"><Count value={replay.rows_quarantined} /></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Section>
  );
}

/** Nothing is offered on a delivery that was rejected or is on its way; the API decides the rest. */
function Decide({ delivery: { id, state, outcome, rejection, purged_at } }: { delivery: Delivery }) {
  const { t } = useTranslation("deliveries");
  const [replaying, replayer] = useDisclosure(false);
  const [rejecting, rejecter] = useDisclosure(false);
  const [reason, setReason] = useState("");
  const replay = api.useMutation("post", "/api/v1/deliveries/{id}/replay", {
    onSuccess: async () => {
      replayer.close();
      toast(t("replayStarted"));
      await changed();
    },
  });
  const reject = api.useMutation("post", "/api/v1/deliveries/{id}/reject", {
    onSuccess: async () => {
      rejecter.close();
      toast(t("rejectDone"));
      await changed();
    },
  });
  if (rejection !== null || state === "waiting" || state === "admitting") return null;
  return (
    <>
      {purged_at === null && (outcome !== null || state === "failed") && <Button onClick={replayer.open}>{t("replay")}</Button>}
      <Button variant="default" onClick={rejecter.open}>{t("reject")}</Button>
      <Confirm
        opened={replaying}
        onClose={replayer.close}
        title={t("replaySure")}
        label={t("replay")}
        danger={false}
        onConfirm={() => { replay.mutate({ params: { path: { id } } }); }}
        busy={replay.isPending}
        error={replay.error}
      >
        {t("replayMeans")}
      </Confirm>
      <Modal opened={rejecting} onClose={rejecter.close} title={t("rejectSure")} closeButtonProps={{ "aria-label": t("close") }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            reject.mutate({ params: { path: { id } }, body: { reason } });
          }}
        >
          <Stack>
            <Text size="sm">{t("rejectMeans")}</Text>
            <Textarea label={t("reason")} required value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} data-autofocus />
            <Problem error={reject.error} />
            <Group justify="flex-end">
              <Button type="submit" color="red" loading={reject.isPending}>{t("reject")}</Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
