/** All of one entry: who, from where, why, what exactly, and how it is chained. */
import { Code, Modal, ScrollArea, Skeleton, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useCodeWords } from "../../parts/codes";
import { Problem } from "../../parts/Problem";
import classes from "./audit.module.css";

export function EntryDetails({ number, onClose }: { number: number; onClose: () => void }) {
  const { t } = useTranslation("audit");
  const format = useFormat();
  const asked = api.useQuery("get", "/api/v1/audit", { params: { query: { after: number - 1, limit: 1 } } });
  const entry = asked.data?.items.find((one) => one.number === number);
  return (
    <Modal opened onClose={onClose} size="xl" title={t("entry.title", { number: format.number(number) })} closeButtonProps={{ "aria-label": t("entry.close") }}>
      {asked.error !== null ? (
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isPending ? (
        <Skeleton h={300} />
      ) : entry === undefined ? (
        <Text>{t("entry.gone")}</Text>
      ) : (
        <Told entry={entry} />
      )}
    </Modal>
  );
}

function Told({ entry }: { entry: Schema<"AuditEntry"> }) {
  const { t } = useTranslation("audit");
  const format = useFormat();
  const words = useCodeWords();
  const { event } = entry;
  const { caller } = event;
  const facts = [
    [t("at"), format.dateTime(entry.at)],
    [t("who"), `${caller.name} (${caller.subject_id})`],
    [t("entry.from"), caller.address === "" ? t("entry.platform") : caller.address],
    [t("entry.roles"), format.list(caller.roles)],
    [t("action"), `${words("action", event.action)} (${event.action})`],
    [t("target"), event.target],
    [t("result"), t(event.allowed ? "done" : "refused")],
    [t("entry.because"), event.because],
    [t("entry.request"), caller.request_id],
    [t("entry.token"), caller.token_id ?? ""],
    [t("entry.hash"), entry.hash],
    [t("entry.previous"), entry.previous],
  ].filter(([, value]) => value !== "");
  return (
    <>
      <Table className={classes.facts ?? ""}>
        <caption className="hush">{t("entry.title", { number: entry.number })}</caption>
        <Table.Tbody>
          {facts.map(([name, value]) => (
            <Table.Tr key={name}>
              <Table.Th scope="row" fw={500}>{name}</Table.Th>
              <Table.Td className={classes.value}>{value}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
      {Object.keys(event.details).length > 0 && (
        <>
          <Text size="sm" fw={500} mt="sm" mb={4}>{t("entry.details")}</Text>
          <ScrollArea.Autosize mah={300} viewportProps={{ tabIndex: 0, "aria-label": t("entry.details"), role: "region" }}>
            <Code block>{JSON.stringify(event.details, null, 2)}</Code>
          </ScrollArea.Autosize>
        </>
      )}
    </>
  );
}
