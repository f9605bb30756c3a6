/** Within reach of the editor: what was asked, what is saved, the tables one may name. */
import { Anchor, Button, Card, Code, Group, Modal, Stack, Tabs, Text, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, refresh } from "../../api/atoll";
import { complete, useListing, type Item } from "../../api/listing";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, Money, When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import classes from "./sql.module.css";

type Query = Item<"/api/v1/queries">;
type Saved = Item<"/api/v1/saved-queries">;
type Relation = Item<"/api/v1/projects/{name}/relations">;
const TABS = ["history", "saved", "tables"] as const;

interface Props {
  project: string;
  text: string;
  onOpen: (query: string) => void;
  onText: (sql: string) => void;
}

export function Library(props: Props) {
  const { t } = useTranslation("sql");
  const [params, setParams] = useSearchParams();
  const wanted = params.get("tab");
  const tab = TABS.find((one) => one === wanted) ?? "history";
  return (
    <Card component="section" aria-label={t("library.title")}>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(one) => {
          setParams((now) => { now.set("tab", one ?? tab); return now; }, { replace: true, preventScrollReset: true });
        }}
      >
        <Tabs.List mb="sm">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`library.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="history">
          <History {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="saved">
          <SavedQueries {...props} />
        </Tabs.Panel>
        <Tabs.Panel value="tables">
          <Tables {...props} />
        </Tabs.Panel>
      </Tabs>
    </Card>
  );
}

function Opener({ sql, label, onClick }: { sql: string; label: string; onClick: () => void }) {
  return (
    <Anchor component="button" type="button" className={classes.sql ?? ""} onClick={onClick} title={sql} aria-label={label}>
      <Code>{sql}</Code>
    </Anchor>
  );
}

function History({ project, onOpen }: Props) {
  const { t } = useTranslation("sql");
  const listing = useListing("/api/v1/queries", { query: { project } }, { limit: 20 });
  const columns = useMemo<Column<Query>[]>(
    () => [
      { key: "sql", title: t("history.sql"), sort: "sql", value: ({ sql }) => sql, cell: ({ id, sql }) => <Opener sql={sql} label={t("history.open", { sql })} onClick={() => { onOpen(id); }} /> },
      { key: "state", title: t("history.state"), sort: "state", value: ({ state }) => state, cell: ({ state, error }) => <StateBadge state={state} reason={error} /> },
      { key: "rows", title: t("history.rows"), sort: "rows", figure: true, value: ({ rows }) => rows, cell: ({ rows }) => (rows === null ? "–" : <Count value={rows} />) },
      { key: "cost", title: t("history.cost"), sort: "cost", figure: true, value: ({ cost }) => (cost === null ? null : Number(cost)), cell: ({ cost, currency }) => (cost === null ? "–" : <Money amount={cost} {...(currency ? { currency } : {})} />) },
      { key: "when", title: t("history.when"), sort: "started_at", value: ({ started_at }) => started_at, cell: ({ started_at }) => <When at={started_at} /> },
    ],
    [t, onOpen],
  );
  return (
    <DataTable title={t("library.history")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("history.none")}>{t("history.teach")}</Empty>} />
  );
}

function SavedQueries({ project, text, onText }: Props) {
  const { t } = useTranslation("sql");
  const listing = useListing("/api/v1/saved-queries", { query: { project } });
  const [saving, setSaving] = useState(false);
  const [ending, setEnding] = useState<Saved | null>(null);
  const remove = api.useMutation("delete", "/api/v1/saved-queries/{id}", {
    onSuccess: async () => {
      setEnding(null);
      await refresh("/api/v1/saved-queries");
    },
  });
  const columns = useMemo<Column<Saved>[]>(
    () => [
      { key: "name", title: t("saved.name"), sort: "name", value: ({ name }) => name, cell: ({ name, description, sql }) => (
        <>
          <Anchor component="button" type="button" size="sm" fw={500} ta="left" aria-label={t("saved.open", { name })} onClick={() => { onText(sql); }}>{name}</Anchor>
          {description !== "" && <Text size="xs" c="dimmed">{description}</Text>}
        </>
      ) },
      { key: "sql", title: t("history.sql"), sort: "sql", value: ({ sql }) => sql, cell: ({ sql }) => <Code className={classes.sql ?? ""} title={sql}>{sql}</Code> },
      { key: "when", title: t("saved.when"), sort: "changed_at", value: ({ changed_at }) => changed_at, cell: ({ changed_at }) => <When at={changed_at} /> },
      { key: "end", title: t("saved.end"), cell: (one) => (
        <Button size="compact-sm" variant="default" onClick={() => { setEnding(one); }} aria-label={t("saved.removeOne", { name: one.name })}>
          {t("saved.remove")}
        </Button>
      ) },
    ],
    [t, onText],
  );
  return (
    <Stack gap="sm">
      <Group>
        <Button variant="default" size="xs" disabled={text.trim() === ""} onClick={() => { setSaving(true); }}>
          {t("saved.save")}
        </Button>
      </Group>
      <DataTable title={t("library.saved")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("saved.none")}>{t("saved.teach")}</Empty>} />
      <Modal opened={saving} onClose={() => { setSaving(false); }} title={t("saved.save")} closeButtonProps={{ "aria-label": t("saved.close") }}>
        <Save project={project} sql={text} known={listing.rows} onDone={() => { setSaving(false); }} />
      </Modal>
      <Confirm
        opened={ending !== null}
        onClose={() => { setEnding(null); }}
        title={t("saved.sure", { name: ending?.name ?? "" })}
        label={t("saved.remove")}
        onConfirm={() => { if (ending !== null) remove.mutate({ params: { path: { id: ending.id } } }); }}
        busy={remove.isPending}
        error={remove.error}
      >
        {t("saved.means")}
      </Confirm>
    </Stack>
  );
}

function Save({ project, sql, known, onDone }: { project: string; sql: string; known: readonly Saved[]; onDone: () => void }) {
  const { t } = useTranslation("sql");
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const done = {
    onSuccess: async () => {
      toast(t("saved.saved", { name }));
      onDone();
      await refresh("/api/v1/saved-queries");
    },
  };
  const keep = api.useMutation("post", "/api/v1/saved-queries", done);
  const replace = api.useMutation("put", "/api/v1/saved-queries/{id}", done);
  const same = known.find((one) => one.name === name);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const body = { name, description, sql };
        if (same === undefined) keep.mutate({ params: { query: { project } }, body });
        else replace.mutate({ params: { path: { id: same.id } }, body });
      }}
    >
      <Stack>
        <TextInput label={t("saved.name")} required value={name} onChange={(event) => { setName(event.currentTarget.value); }} data-autofocus {...(same ? { description: t("saved.same") } : {})} />
        <TextInput label={t("saved.description")} value={description} onChange={(event) => { setDescription(event.currentTarget.value); }} />
        <Problem error={keep.error ?? replace.error} />
        <Button type="submit" loading={keep.isPending || replace.isPending}>
          {t(same === undefined ? "saved.keep" : "saved.replace")}
        </Button>
      </Stack>
    </form>
  );
}

function Tables({ project, onText }: Props) {
  const { t } = useTranslation("sql");
  const relations = api.useQuery("get", "/api/v1/projects/{name}/relations", { params: { path: { name: project } } });
  const columns = useMemo<Column<Relation>[]>(
    () => [
      { key: "table", title: t("tables.table"), value: ({ dataset, table }) => `${dataset}.${table}`, cell: ({ dataset, table, description }) => (
        <>
          <Code>{`${dataset}.${table}`}</Code>
          {description !== "" && <Text size="xs" c="dimmed">{description}</Text>}
        </>
      ) },
      { key: "columns", title: t("tables.columns"), value: (one) => one.columns.map(({ name }) => name).join(" "), cell: (one) => (
        <Text size="sm">
          {one.columns.map(({ name, type }) => `${name} (${type})`).join(", ")}
        </Text>
      ) },
      { key: "use", title: t("tables.use"), cell: ({ dataset, table }) => (
        <Button size="compact-sm" variant="default" aria-label={t("tables.lookOne", { name: `${dataset}.${table}` })} onClick={() => { onText(`SELECT * FROM ${dataset}.${table} LIMIT 100`); }}>
          {t("tables.look")}
        </Button>
      ) },
    ],
    [t, onText],
  );
  return (
    <DataTable
      title={t("library.tables")}
      listing={complete(relations.data?.items, relations)}
      columns={columns}
      rowKey={({ dataset, table }) => `${dataset}.${table}`}
      empty={<Empty title={t("tables.none")}>{t("tables.teach")}</Empty>}
    />
  );
}
