/** Ask that a project of one's own may read the dataset, whole or some tables, columns and rows of it. */
import { Button, Code, Fieldset, MultiSelect, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { toast } from "../../parts/toast";

interface Part {
  columns: string[];
  filter: string;
}
const WHOLE: Part = { columns: [], filter: "" };

export function AskAccess({ dataset, onDone }: { dataset: Schema<"DatasetDescription">; onDone: () => void }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const { projects } = useSession();
  const [project, setProject] = useState(projects[0]?.name ?? "");
  const [purpose, setPurpose] = useState("");
  const [tables, setTables] = useState<string[]>([]);
  const [parts, setParts] = useState<Record<string, Part>>({});
  const [until, setUntil] = useState("");
  const [version, setVersion] = useState<string | null>(null);
  const versions = api.useQuery("get", "/api/v1/datasets/{name}/versions", { params: { path: { name: dataset.name } } });
  const ask = api.useMutation("post", "/api/v1/grant-requests", {
    onSuccess: async () => {
      toast(t("ask.asked"));
      onDone();
      await refresh("/api/v1/grant-requests");
    },
  });
  const partOf = (table: string) => parts[table] ?? WHOLE;
  const change = (table: string, part: Partial<Part>) => { setParts((now) => ({ ...now, [table]: { ...(now[table] ?? WHOLE), ...part } })); };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate({
          body: {
            project,
            dataset: dataset.name,
            purpose,
            tables: tables.length === 0 ? null : tables.map((table) => {
              const { columns, filter } = partOf(table);
              return { table, columns: columns.length === 0 ? null : columns, row_filter: filter.trim() === "" ? null : filter };
            }),
            version: version === null ? null : Number(version),
            // To the end of the day where one is.
            expires_at: until === "" ? null : new Date(`${until}T23:59:59`).toISOString(),
          },
        });
      }}
    >
      <Stack>
        <Select label={t("ask.project")} allowDeselect={false} data={projects.map(({ name, title }) => ({ value: name, label: title }))} value={project} onChange={(one) => { setProject(one ?? project); }} />
        <Textarea label={t("ask.purpose")} description={t("ask.purposeHelp")} required autosize minRows={3} maxLength={2000} value={purpose} onChange={(event) => { setPurpose(event.currentTarget.value); }} data-autofocus />
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
        <Problem error={ask.error ?? versions.error} />
        <Button type="submit" loading={ask.isPending}>
          {t("actions.ask")}
        </Button>
      </Stack>
    </form>
  );
}
