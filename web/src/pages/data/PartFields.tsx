/** Which part of a dataset: tables, columns, rows, the version, and until when. */
import { Code, Fieldset, MultiSelect, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { Problem } from "../../parts/Problem";

interface Part {
  columns: string[];
  filter: string;
}
const WHOLE: Part = { columns: [], filter: "" };

/** What is chosen, as the API takes it, and what sets it. */
export function usePart() {
  const [tables, setTables] = useState<string[]>([]);
  const [parts, setParts] = useState<Record<string, Part>>({});
  const [until, setUntil] = useState("");
  const [version, setVersion] = useState<string | null>(null);
  const partOf = (table: string) => parts[table] ?? WHOLE;
  const chosen: Pick<Schema<"NewGrant">, "tables" | "version" | "expires_at"> = {
    tables: tables.length === 0 ? null : tables.map((table) => {
      const { columns, filter } = partOf(table);
      return { table, columns: columns.length === 0 ? null : columns, row_filter: filter.trim() === "" ? null : filter };
    }),
    version: version === null ? null : Number(version),
    // To the end of the day where one is.
    expires_at: until === "" ? null : new Date(`${until}T23:59:59`).toISOString(),
  };
  const change = (table: string, part: Partial<Part>) => { setParts((now) => ({ ...now, [table]: { ...(now[table] ?? WHOLE), ...part } })); };
  return { chosen, tables, setTables, partOf, change, until, setUntil, version, setVersion };
}

export function PartFields({ dataset, part }: { dataset: Schema<"DatasetDescription">; part: ReturnType<typeof usePart> }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const { tables, setTables, partOf, change, until, setUntil, version, setVersion } = part;
  const versions = api.useQuery("get", "/api/v1/datasets/{name}/versions", { params: { path: { name: dataset.name } } });
  return (
      <>
        <MultiSelect label={t("ask.tables")} description={t("ask.tablesHelp")} searchable data={dataset.tables.map(({ table }) => table)} value={tables} onChange={setTables} clearButtonProps={{ "aria-label": t("ask.clear") }} />
        {tables.map((table) => (
          <Fieldset key={table} legend={<Code>{table}</Code>}>
            <Stack gap="xs">
              <MultiSelect
                label={t("ask.columns")}
                description={t("ask.columnsHelp")}
                searchable
                data={dataset.tables.find((one) => one.table === table)?.columns.map(({ name }) => name) ?? []}
                value={partOf(table).columns}
                onChange={(columns) => { change(table, { columns }); }}
              />
              <TextInput label={t("ask.filter")} description={t("ask.filterHelp")} spellCheck={false} value={partOf(table).filter} onChange={(event) => { change(table, { filter: event.currentTarget.value }); }} />
            </Stack>
          </Fieldset>
        ))}
        <Select
          label={t("ask.version")}
          description={t("ask.versionHelp")}
          placeholder={t("ask.newest")}
          clearable
          clearButtonProps={{ "aria-label": t("ask.newest") }}
          data={versions.data?.items.filter(({ expired_at }) => expired_at === null).map(({ number, committed_at }) => ({ value: String(number), label: t("ask.versionOf", { number, date: format.date(committed_at) }) })) ?? []}
          value={version}
          onChange={setVersion}
        />
        <TextInput type="date" label={t("ask.until")} description={t("ask.untilHelp")} value={until} onChange={(event) => { setUntil(event.currentTarget.value); }} />
        <Problem error={versions.error} />
      </>
  );
}
