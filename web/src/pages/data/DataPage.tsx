/** What data there is: a search in names and descriptions, and the list of datasets. What is sought is in the address. */
import { Anchor, Badge, Code, Text, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { IconSearch } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Section } from "../../parts/Section";

type Dataset = Item<"/api/v1/datasets">;
type Entry = Item<"/api/v1/catalog/search">;
const REST_MS = 250;

export function Component() {
  const { t } = useTranslation("data");
  const [params, setParams] = useSearchParams();
  const sought = params.get("q") ?? "";
  const [text, setText] = useState(sought);
  const seek = useDebouncedCallback((q: string) => {
    setParams(q.trim() === "" ? {} : { q: q.trim() }, { replace: true, preventScrollReset: true });
  }, REST_MS);
  return (
    <Page title={t("title")} about={t("about")}>
      <TextInput
        type="search"
        size="md"
        maw="40rem"
        label={t("search.label")}
        placeholder={t("search.placeholder")}
        leftSection={<IconSearch size={18} aria-hidden />}
        maxLength={200}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          seek(event.currentTarget.value);
        }}
      />
      {sought === "" ? <Datasets /> : <Found key={sought} q={sought} />}
    </Page>
  );
}

function Datasets() {
  const { t } = useTranslation("data");
  const listing = useListing("/api/v1/datasets");
  const columns = useMemo<Column<Dataset>[]>(
    () => [
      { key: "title", title: t("list.dataset"), value: ({ title, name }) => `${title} ${name}`, cell: ({ title, name }) => (
        <>
          <Anchor component={Link} to={`/data/${name}`} size="sm" fw={500}>{title}</Anchor>
          <div><Code>{name}</Code></div>
        </>
      ) },
      { key: "description", title: t("list.description"), value: ({ description }) => description, cell: ({ description }) => <Text size="sm" maw="36rem">{description}</Text> },
      { key: "owner", title: t("list.owner"), value: ({ owner }) => owner, cell: ({ owner }) => owner },
      { key: "latest", title: t("list.version"), figure: true, value: ({ latest }) => latest, cell: ({ latest }) => (latest === 0 ? "–" : <Count value={latest} />) },
      { key: "since", title: t("list.since"), hidden: true, value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} /> },
    ],
    [t],
  );
  return (
    <Section title={t("list.title")}>
      <DataTable title={t("list.title")} listing={listing} columns={columns} rowKey={({ name }) => name} empty={<Empty title={t("list.none")}>{t("list.teach")}</Empty>} />
    </Section>
  );
}

function addressOf({ dataset, table }: Entry): string {
  return table ? `/data/${dataset}?${new URLSearchParams({ table }).toString()}` : `/data/${dataset}`;
}

function Found({ q }: { q: string }) {
  const { t } = useTranslation("data");
  const listing = useListing("/api/v1/catalog/search", { query: { q } });
  const columns = useMemo<Column<Entry>[]>(
    () => [
      { key: "kind", title: t("search.kind"), cell: ({ kind }) => <Badge variant="light" color="gray" tt="none" fw={500} radius="sm">{t(`kind.${kind}`)}</Badge> },
      { key: "name", title: t("search.name"), cell: (one) => (
        <>
          <Anchor component={Link} to={addressOf(one)} size="sm" fw={500}>{[one.dataset, one.table, one.column].filter(Boolean).join(".")}</Anchor>
          <Text size="xs" c="dimmed">{one.title}</Text>
        </>
      ) },
      { key: "description", title: t("list.description"), cell: ({ description }) => <Text size="sm" maw="36rem">{description}</Text> },
      { key: "type", title: t("columns.type"), cell: ({ type, unit }) => [type, unit].filter(Boolean).join(", ") },
      { key: "treatment", title: t("columns.treatment"), cell: ({ treatment }) => treatment },
    ],
    [t],
  );
  return (
    <Section title={t("search.found", { words: q })}>
      <DataTable
        plain
        title={t("search.found", { words: q })}
        listing={listing}
        columns={columns}
        rowKey={(one) => [one.dataset, one.table, one.column].join(".")}
        empty={<Empty title={t("search.none")}>{t("search.teach")}</Empty>}
      />
    </Section>
  );
}
