/** Entries, newest first, by who, what, to what, result and time; one opened shows all of it. */
import { Anchor, Badge, Code, Select, Text, TextInput } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { TONES } from "../../app/theme";
import { useCodeWords } from "../../parts/codes";
import { DataTable, type Column } from "../../parts/DataTable";
import { dayOf, endOf, startOf } from "../../parts/days";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { FilterText } from "../deliveries/FilterText";
import { EntryDetails } from "./EntryDetails";

type Entry = Item<"/api/v1/audit">;
const RESULTS = ["done", "refused"] as const;

export function Entries() {
  const { t } = useTranslation("audit");
  const words = useCodeWords();
  const [params, setParams] = useSearchParams();
  const set = (name: string, value: string | null) => {
    setParams((now) => {
      if (value === null || value === "") now.delete(name);
      else now.set(name, value);
      return now;
    }, { preventScrollReset: true });
  };
  const [person, action, target] = ["person", "action", "target"].map((name) => params.get(name) ?? "") as [string, string, string];
  const [since, until] = [dayOf(params.get("since")), dayOf(params.get("until"))];
  const result = RESULTS.find((one) => one === params.get("result"));
  const number = Number(params.get("entry") ?? "");
  const listing = useListing("/api/v1/audit", {
    query: {
      newest_first: true,
      ...(person && { person }),
      ...(action && { action }),
      ...(target && { target }),
      ...(result && { allowed: result === "done" }),
      ...(since && { since: startOf(since) }),
      ...(until && { until: endOf(until) }),
    },
  }, { inAddress: true });
  const columns = useMemo<Column<Entry>[]>(
    () => [
      { key: "number", title: t("number"), sort: "number", figure: true, value: (one) => one.number, cell: (one) => <Count value={one.number} /> },
      { key: "at", title: t("at"), sort: "number", value: ({ at }) => at, cell: ({ at }) => <When at={at} absolute /> },
      { key: "who", title: t("who"), value: ({ event }) => event.caller.name, cell: ({ event }) => event.caller.name },
      { key: "action", title: t("action"), value: ({ event }) => event.action, cell: ({ number: of, event }) => {
        const told = words("action", event.action);
        return (
          <>
            <Anchor component="button" type="button" size="sm" fw={500} ta="start" aria-label={`${told}: ${t("open", { number: of })}`} onClick={() => { set("entry", String(of)); }}>{told}</Anchor>
            <Text size="xs" c="dimmed">{event.action}</Text>
          </>
        );
      } },
      { key: "target", title: t("target"), value: ({ event }) => event.target, cell: ({ event }) => <Code>{event.target}</Code> },
      { key: "result", title: t("result"), value: ({ event }) => t(event.allowed ? "done" : "refused"), cell: ({ event }) => (
        <Badge variant="light" radius="sm" tt="none" fw={500} miw="max-content" color={TONES[event.allowed ? "good" : "bad"]}>{t(event.allowed ? "done" : "refused")}</Badge>
      ) },
      { key: "address", title: t("entry.from"), hidden: true, value: ({ event }) => event.caller.address, cell: ({ event }) => event.caller.address },
      { key: "because", title: t("entry.because"), hidden: true, value: ({ event }) => event.because, cell: ({ event }) => event.because },
    ],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what sets the address is the same each time
    [t, words],
  );
  return (
    <Section title={t("tab.entries")}>
      <DataTable
        searchedHere
        title={t("tab.entries")}
        listing={listing}
        columns={columns}
        rowKey={(one) => String(one.number)}
        empty={<Empty title={t("none")}>{t("teach")}</Empty>}
        filters={
          <>
            <FilterText key={`p${person}`} label={t("person")} value={person} onChange={(value) => { set("person", value); }} />
            <FilterText key={`a${action}`} label={t("actionFilter")} value={action} onChange={(value) => { set("action", value); }} />
            <FilterText key={`t${target}`} label={t("targetFilter")} value={target} onChange={(value) => { set("target", value); }} />
            <Select
              aria-label={t("resultFilter")}
              placeholder={t("resultFilter")}
              clearable
              clearButtonProps={{ "aria-label": t("anyResult") }}
              value={result ?? null}
              onChange={(value) => { set("result", value); }}
              data={RESULTS.map((value) => ({ value, label: t(value) }))}
            />
            <TextInput type="date" aria-label={t("since")} title={t("since")} value={since} onChange={(event) => { set("since", event.currentTarget.value); }} />
            <TextInput type="date" aria-label={t("until")} title={t("until")} value={until} onChange={(event) => { set("until", event.currentTarget.value); }} />
          </>
        }
      />
      {Number.isInteger(number) && number > 0 && <EntryDetails number={number} onClose={() => { set("entry", null); }} />}
    </Section>
  );
}
