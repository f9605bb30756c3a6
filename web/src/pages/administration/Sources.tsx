import { Button, Group, Modal, Stack, TagsInput, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { Keys } from "./Keys";
import { TokensOf } from "./Tokens";

type Source = Item<"/api/v1/sources">;

/** Who delivers, and into which datasets. The one looked at is in the address: `?source=lab`. */
export function Sources() {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [adding, setAdding] = useState(false);
  const listing = useListing("/api/v1/sources");
  const chosen = listing.rows.find(({ name }) => name === params.get("source"));
  const columns = useMemo<Column<Source>[]>(
    () => [
      { key: "title", title: t("sources.title"), sort: "title", value: ({ title, name }) => `${title} ${name}`, cell: ({ title, name }) => (
        <>
          <Text size="sm" fw={500}>{title}</Text>
          <Text size="xs" c="dimmed">{name}</Text>
        </>
      ) },
      { key: "datasets", title: t("sources.datasets"), sort: "datasets", value: ({ datasets }) => datasets.join(" "), cell: ({ datasets }) => format.list(datasets) },
      { key: "state", title: t("people.state"), sort: "active", value: ({ active }) => (active ? "active" : "inactive"), cell: ({ active }) => <StateBadge state={active ? "active" : "inactive"} /> },
      { key: "since", title: t("people.since"), sort: "created_at", value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} absolute /> },
      ...(may("sources:write")
        ? [{ key: "change", title: t("actions"), cell: ({ name, title }: Source) => (
            <Button size="compact-sm" variant="default" aria-label={t("sources.openOne", { name: title })} onClick={() => { setParams({ source: name }); }}>{t("sources.open")}</Button>
          ) }]
        : []),
    ],
    [t, format, may, setParams],
  );
  return (
    <Stack>
      <Section title={t("section.sources")} aside={may("sources:write") && <Button onClick={() => { setAdding(true); }}>{t("sources.add")}</Button>}>
        <DataTable title={t("section.sources")} listing={listing} columns={columns} rowKey={({ name }) => name} empty={<Empty title={t("sources.none")}>{t("sources.teach")}</Empty>} />
      </Section>
      {chosen !== undefined && may("sources:write") && <Change key={JSON.stringify(chosen)} source={chosen} />}
      {chosen !== undefined && may("sources:write") && <Keys source={chosen.name} />}
      {chosen !== undefined && may("sources:write", "tokens:write") && <TokensOf source={chosen.name} />}
      <Modal opened={adding} onClose={() => { setAdding(false); }} title={t("sources.add")} closeButtonProps={{ "aria-label": t("close") }}>
        <Add onDone={(name) => { setAdding(false); setParams({ source: name }); }} />
      </Modal>
    </Stack>
  );
}

function Datasets({ value, onChange }: { value: string[]; onChange: (datasets: string[]) => void }) {
  const { t } = useTranslation("administration");
  return <TagsInput label={t("sources.datasets")} description={t("sources.datasetsHelp")} value={value} onChange={onChange} clearButtonProps={{ "aria-label": t("clear") }} />;
}

function Add({ onDone }: { onDone: (name: string) => void }) {
  const { t } = useTranslation("administration");
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const [datasets, setDatasets] = useState<string[]>([]);
  const add = api.useMutation("post", "/api/v1/sources", {
    onSuccess: async (source) => {
      await refresh("/api/v1/sources");
      toast(t("sources.added", { name: source.title }));
      onDone(source.name);
    },
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate({ body: { name, title, datasets } }); }}>
      <Stack>
        <TextInput label={t("sources.name")} description={t("sources.nameHelp")} required value={name} onChange={(event) => { setName(event.currentTarget.value); }} autoCapitalize="none" spellCheck={false} data-autofocus />
        <TextInput label={t("sources.title")} required maxLength={200} value={title} onChange={(event) => { setTitle(event.currentTarget.value); }} />
        <Datasets value={datasets} onChange={setDatasets} />
        <Problem error={add.error} />
        <Button type="submit" loading={add.isPending} disabled={datasets.length === 0}>{t("sources.add")}</Button>
      </Stack>
    </form>
  );
}

function Change({ source }: { source: Source }) {
  const { t } = useTranslation("administration");
  const [title, setTitle] = useState(source.title);
  const [datasets, setDatasets] = useState(source.datasets);
  const [asking, setAsking] = useState(false);
  const change = api.useMutation("patch", "/api/v1/sources/{name}", {
    onSuccess: async () => {
      setAsking(false);
      toast(t("person.changed"));
      await refresh("/api/v1/sources");
    },
  });
  const params = { path: { name: source.name } };
  return (
    <Section title={source.title} aside={<StateBadge state={source.active ? "active" : "inactive"} />}>
      <form onSubmit={(event) => { event.preventDefault(); change.mutate({ params, body: { title, datasets } }); }}>
        <Stack>
          <TextInput label={t("sources.title")} required maxLength={200} value={title} onChange={(event) => { setTitle(event.currentTarget.value); }} />
          <Datasets value={datasets} onChange={setDatasets} />
          {!asking && <Problem error={change.error} />}
          <Group>
            <Button type="submit" loading={change.isPending} disabled={datasets.length === 0}>{t("save")}</Button>
            {source.active ? (
              <Button color="red" variant="light" onClick={() => { setAsking(true); }}>{t("person.deactivate")}</Button>
            ) : (
              <Button variant="default" onClick={() => { change.mutate({ params, body: { active: true } }); }}>{t("person.activate")}</Button>
            )}
          </Group>
        </Stack>
      </form>
      <Confirm
        opened={asking}
        onClose={() => { setAsking(false); }}
        title={t("person.sure", { name: source.title })}
        label={t("person.deactivate")}
        busy={change.isPending}
        error={change.error}
        onConfirm={() => { change.mutate({ params, body: { active: false } }); }}
      >
        {t("sources.means")}
      </Confirm>
    </Section>
  );
}
