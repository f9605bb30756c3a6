/** Public keys with which a source signs in by SFTP. */
import { Button, Code, Modal, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";

type Key = Item<"/api/v1/sources/{name}/keys">;

export function Keys({ source }: { source: string }) {
  const { t } = useTranslation("administration");
  const [adding, { open, close }] = useDisclosure(false);
  const [ending, setEnding] = useState<Key | null>(null);
  const listing = useListing("/api/v1/sources/{name}/keys", { path: { name: source } });
  const remove = api.useMutation("delete", "/api/v1/sources/{name}/keys/{id}", {
    onSuccess: async () => {
      setEnding(null);
      await refresh("/api/v1/sources/{name}/keys");
    },
  });
  const columns = useMemo<Column<Key>[]>(
    () => [
      { key: "label", title: t("tokens.label"), value: ({ label }) => label, cell: ({ label }) => label },
      { key: "fingerprint", title: t("keys.fingerprint"), value: ({ fingerprint }) => fingerprint, cell: ({ fingerprint }) => <Code>{fingerprint}</Code> },
      { key: "by", title: t("keys.by"), value: ({ added_by }) => added_by, cell: ({ added_by }) => added_by },
      { key: "added", title: t("keys.added"), value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} absolute /> },
      { key: "end", title: t("actions"), cell: (key) => (
        <Button size="compact-sm" variant="default" onClick={() => { setEnding(key); }} aria-label={t("keys.removeOne", { name: key.label })}>{t("keys.remove")}</Button>
      ) },
    ],
    [t],
  );
  return (
    <Section title={t("keys.title")} aside={<Button onClick={open}>{t("keys.add")}</Button>}>
      <Text size="sm" c="dimmed" mb="sm">{t("keys.about", { source })}</Text>
      <DataTable title={t("keys.title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("keys.none")}>{t("keys.teach")}</Empty>} />
      <Modal opened={adding} onClose={close} title={t("keys.add")} closeButtonProps={{ "aria-label": t("close") }}>
        <Add source={source} onDone={close} />
      </Modal>
      <Confirm
        opened={ending !== null}
        onClose={() => { setEnding(null); }}
        title={t("keys.sure", { name: ending?.label ?? "" })}
        label={t("keys.remove")}
        busy={remove.isPending}
        error={remove.error}
        onConfirm={() => { if (ending !== null) remove.mutate({ params: { path: { name: source, id: ending.id } } }); }}
      >
        {t("keys.means")}
      </Confirm>
    </Section>
  );
}

function Add({ source, onDone }: { source: string; onDone: () => void }) {
  const { t } = useTranslation("administration");
  const [label, setLabel] = useState("");
  const [text, setText] = useState("");
  const add = api.useMutation("post", "/api/v1/sources/{name}/keys", {
    onSuccess: async (key) => {
      await refresh("/api/v1/sources/{name}/keys");
      toast(t("keys.isAdded", { name: key.label }));
      onDone();
    },
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate({ params: { path: { name: source } }, body: { label, public_key: text.trim() } }); }}>
      <Stack>
        <TextInput label={t("tokens.label")} description={t("keys.labelHelp")} required maxLength={200} value={label} onChange={(event) => { setLabel(event.currentTarget.value); }} data-autofocus />
        <Textarea label={t("keys.public")} description={t("keys.publicHelp")} required maxLength={8192} rows={4} value={text} onChange={(event) => { setText(event.currentTarget.value); }} autoCapitalize="none" spellCheck={false} />
        <Problem error={add.error} />
        <Button type="submit" loading={add.isPending}>{t("keys.add")}</Button>
      </Stack>
    </form>
  );
}
