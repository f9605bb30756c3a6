/** Ask that encrypted values be opened for somebody. */
import { Button, MultiSelect, NumberInput, Select, Stack, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { toast } from "../../parts/toast";

const WHICH = ["subjects", "values", "whole"] as const;
type Which = (typeof WHICH)[number];

function lines(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

export function encryptedColumns({ columns }: Schema<"DescribedTable">): string[] {
  return columns.filter(({ treatment }) => treatment === "encrypt").map(({ name }) => name);
}

export function AskOpening({ dataset, onDone }: { dataset: Schema<"DatasetDescription">; onDone: () => void }) {
  const { t } = useTranslation("openings");
  const { login } = useSession();
  const tables = dataset.tables.filter((one) => encryptedColumns(one).length > 0);
  const [table, setTable] = useState(tables[0]?.table ?? "");
  const [columns, setColumns] = useState<string[]>([]);
  const [which, setWhich] = useState<Which>("subjects");
  const [text, setText] = useState("");
  const [reason, setReason] = useState("");
  const [recipient, setRecipient] = useState(login);
  const [hours, setHours] = useState<number | string>(24);
  const ask = api.useMutation("post", "/api/v1/openings", {
    onSuccess: async () => {
      toast(t("asked"));
      onDone();
      await refresh("/api/v1/openings");
    },
  });
  const chosen = tables.find((one) => one.table === table);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate({
          body: {
            dataset: dataset.name,
            table,
            columns,
            subjects: which === "subjects" ? lines(text) : [],
            values: which === "values" ? lines(text) : [],
            whole: which === "whole",
            reason,
            recipient: recipient.trim(),
            hours: Number(hours),
          },
        });
      }}
    >
      <Stack>
        <Select label={t("form.table")} allowDeselect={false} data={tables.map((one) => one.table)} value={table} onChange={(one) => { setTable(one ?? table); setColumns([]); }} />
        <MultiSelect label={t("form.columns")} description={t("form.columnsHelp")} data={chosen === undefined ? [] : encryptedColumns(chosen)} value={columns} onChange={setColumns} />
        <Select label={t("form.which")} allowDeselect={false} data={WHICH.map((one) => ({ value: one, label: t(`form.${one}`) }))} value={which} onChange={(one) => { setWhich(one ?? which); }} />
        {which !== "whole" && <Textarea label={t(`form.${which}`)} description={t("form.lines")} required autosize minRows={2} spellCheck={false} value={text} onChange={(event) => { setText(event.currentTarget.value); }} />}
        <Textarea label={t("form.reason")} required maxLength={2000} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} />
        <TextInput label={t("form.recipient")} description={t("form.recipientHelp")} required spellCheck={false} value={recipient} onChange={(event) => { setRecipient(event.currentTarget.value); }} />
        <NumberInput label={t("form.hours")} min={1} max={168} allowDecimal={false} required value={hours} onChange={setHours} />
        <Problem error={ask.error} />
        <Button type="submit" loading={ask.isPending}>{t("ask")}</Button>
      </Stack>
    </form>
  );
}
