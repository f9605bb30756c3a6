/** Write a contract, or have one drafted from samples; check it, read it as words, propose it. */
import { Button, FileInput, Group, List, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { api, refresh } from "../../api/atoll";
import { Columns } from "../../parts/Columns";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { SqlEditor } from "../../parts/SqlEditor";
import { Words } from "./Words";

function base64(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => { resolve(typeof reader.result === "string" ? (reader.result.split(",", 2)[1] ?? "") : ""); };
    reader.onerror = () => { reject(reader.error ?? new Error(file.name)); };
    reader.readAsDataURL(file);
  });
}

export function Component() {
  const { t } = useTranslation("contracts");
  const navigate = useNavigate();
  const [text, setText] = useState("");
  const [note, setNote] = useState("");
  const check = api.useMutation("post", "/api/v1/contracts/check");
  const explain = api.useMutation("post", "/api/v1/contracts/explain");
  const propose = api.useMutation("post", "/api/v1/contract-proposals", {
    onSuccess: async ({ id }) => {
      await refresh("/api/v1/contract-proposals");
      await navigate(`/contracts/proposals/${id}`);
    },
  });
  const empty = text.trim() === "";
  const edit = (value: string) => {
    setText(value);
    check.reset();
    propose.reset();
  };
  return (
    <Page title={t("newTitle")} about={t("newAbout")}>
      <Draft onDraft={edit} />
      <Columns least="wide">
        <Section title={t("text")}>
          <Stack>
            <SqlEditor language="yaml" label={t("asYaml")} value={text} onChange={edit} height={420} />
            <Problem error={check.error ?? propose.error} />
            {check.data && <Text size="sm" c="green" role="status">{t("checked", { tables: check.data.tables.join(", ") })}</Text>}
            <TextInput label={t("note")} description={t("noteHelp")} value={note} onChange={(event) => { setNote(event.currentTarget.value); }} />
            <Group>
              <Button
                variant="default"
                disabled={empty}
                loading={check.isPending}
                onClick={() => {
                  check.mutate({ body: { text } }, { onSuccess: () => { explain.mutate({ body: { text } }); } });
                }}
              >
                {t("check")}
              </Button>
              <Button disabled={empty} loading={propose.isPending} onClick={() => { propose.mutate({ body: { text, note } }); }}>{t("propose")}</Button>
            </Group>
          </Stack>
        </Section>
        <Section title={t("asWords")}>
          <Problem error={explain.error} />
          {explain.data === undefined ? <Text size="sm" c="dimmed">{t("wordsTeach")}</Text> : <Words explanation={explain.data} />}
        </Section>
      </Columns>
    </Page>
  );
}

function Draft({ onDraft }: { onDraft: (text: string) => void }) {
  const { t } = useTranslation("contracts");
  const [dataset, setDataset] = useState("");
  const [files, setFiles] = useState<File[]>([]);
  const draft = api.useMutation("post", "/api/v1/contract-drafts", { onSuccess: (made) => { onDraft(made.text); } });
  return (
    <Section title={t("draft")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void Promise.all(files.map(async (file) => ({ name: file.name, content: await base64(file) }))).then((samples) => {
            draft.mutate({ body: { dataset, files: samples } });
          });
        }}
      >
        <Stack>
          <Text size="sm" c="dimmed">{t("draftMeans")}</Text>
          <Group align="flex-end">
            <TextInput label={t("dataset")} required value={dataset} onChange={(event) => { setDataset(event.currentTarget.value); }} />
            <FileInput label={t("samples")} multiple miw="16rem" value={files} onChange={setFiles} />
            <Button type="submit" variant="default" disabled={files.length === 0} loading={draft.isPending}>{t("makeDraft")}</Button>
          </Group>
          <Problem error={draft.error} />
          {draft.data && (
            <List size="sm">
              {draft.data.findings.map((finding, index) => <List.Item key={index}>{finding}</List.Item>)}
              {draft.data.columns.filter(({ doubtful }) => doubtful).map(({ table, column, reason }) => (
                <List.Item key={`${table}.${column}`}>{t("doubtful", { name: `${table}.${column}`, reason })}</List.Item>
              ))}
            </List>
          )}
        </Stack>
      </form>
    </Section>
  );
}
