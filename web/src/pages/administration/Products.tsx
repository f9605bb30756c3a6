import { Anchor, Button, Code, Group, Skeleton, Stack, TagsInput, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { complete, type Item } from "../../api/listing";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Price } from "../../parts/Price";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { SqlEditor } from "../../parts/SqlEditor";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";

type Product = Item<"/api/v1/products">;
type Version = Schema<"VersionAnswer">;

/** The catalog of machines as operators keep it; `?product=name` opens one, `?product=` an empty text. */
export function Products() {
  const { t } = useTranslation("administration");
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const asked = api.useQuery("get", "/api/v1/products");
  const columns = useMemo<Column<Product>[]>(
    () => [
      { key: "title", title: t("products.title"), value: ({ title, name }) => `${title} ${name}`, cell: ({ title, name }) => (
        <>
          <Anchor component={Link} to={`/administration/products?product=${encodeURIComponent(name)}`} size="sm" fw={500}>{title}</Anchor>
          <Text size="xs" c="dimmed">{name}</Text>
        </>
      ) },
      { key: "version", title: t("products.version"), figure: true, value: ({ number }) => number, cell: ({ number }) => <Count value={number} /> },
      { key: "state", title: t("people.state"), value: ({ state }) => state, cell: ({ state }) => <StateBadge state={state} /> },
      { key: "price", title: t("products.from"), figure: true, value: ({ sizes }) => Number(sizes[0]?.eur_per_hour ?? 0), cell: ({ sizes }) => sizes[0] !== undefined && <Price eurPerHour={sizes[0].eur_per_hour} /> },
      { key: "projects", title: t("products.projects"), value: ({ projects }) => projects?.join(" "), cell: ({ projects }) => projects?.join(", ") ?? t("products.every") },
      { key: "by", title: t("products.by"), value: ({ published_by }) => published_by, cell: ({ published_by }) => published_by },
      { key: "when", title: t("products.when"), value: ({ published_at }) => published_at, cell: ({ published_at }) => <When at={published_at} /> },
    ],
    [t],
  );
  const name = params.get("product");
  return (
    <Stack>
      <Section title={t("section.products")} aside={may("products:write") && <Button onClick={() => { setParams({ product: "" }); }}>{t("products.new")}</Button>}>
        <DataTable title={t("section.products")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("products.none")}>{t("products.teach")}</Empty>} />
      </Section>
      {name === "" && may("products:write") && <Publish text="" projects={[]} />}
      {name !== null && name !== "" && <One name={name} />}
    </Stack>
  );
}

function One({ name }: { name: string }) {
  const { t } = useTranslation("administration");
  const may = useMay();
  const asked = api.useQuery("get", "/api/v1/products/{name}", { params: { path: { name } } });
  if (asked.data === undefined) {
    return <Section title={name}>{asked.isPending ? <Skeleton h={200} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />}</Section>;
  }
  const { title, versions, text, projects, id } = asked.data;
  return (
    <>
      <Section title={t("products.versions", { name: title })}>
        <Versions versions={versions} />
      </Section>
      {may("products:write") ? (
        <Publish key={id} text={text} projects={projects ?? []} />
      ) : (
        <Section title={t("products.text")}><Code block tabIndex={0}>{text}</Code></Section>
      )}
    </>
  );
}

function Versions({ versions }: { versions: Version[] }) {
  const { t } = useTranslation("administration");
  const may = useMay();
  const [ending, setEnding] = useState<{ deed: "deprecate" | "retire"; id: string } | null>(null);
  const done = {
    onSuccess: async () => {
      setEnding(null);
      toast(t("person.changed"));
      await refresh("/api/v1/products", "/api/v1/products/{name}");
    },
  };
  const deprecate = api.useMutation("post", "/api/v1/products/{id}/deprecate", done);
  const retire = api.useMutation("post", "/api/v1/products/{id}/retire", done);
  const asked = ending?.deed === "deprecate" ? deprecate : retire;
  const columns = useMemo<Column<Version>[]>(
    () => [
      { key: "version", title: t("products.version"), figure: true, cell: ({ number }) => <Count value={number} /> },
      { key: "state", title: t("people.state"), cell: ({ state }) => <StateBadge state={state} /> },
      { key: "by", title: t("products.by"), cell: ({ published_by }) => published_by },
      { key: "when", title: t("products.when"), cell: ({ published_at }) => <When at={published_at} absolute /> },
      ...(may("products:write")
        ? [{ key: "end", title: t("actions"), cell: ({ id, number, state }: Version) => (
            <Group gap="xs">
              {state === "published" && <Button size="compact-sm" variant="default" aria-label={t("products.deprecateOne", { number })} onClick={() => { setEnding({ deed: "deprecate", id }); }}>{t("products.deprecate")}</Button>}
              {state !== "retired" && <Button size="compact-sm" variant="default" aria-label={t("products.retireOne", { number })} onClick={() => { setEnding({ deed: "retire", id }); }}>{t("products.retire")}</Button>}
            </Group>
          ) }]
        : []),
    ],
    [t, may],
  );
  return (
    <>
      <DataTable plain title={t("products.version")} listing={complete(versions, { isPending: false, error: null, refetch: () => undefined })} columns={columns} rowKey={({ id }) => id} empty={null} />
      <Confirm
        opened={ending !== null}
        onClose={() => { setEnding(null); }}
        title={t(`products.sure.${ending?.deed ?? "retire"}`, { name: ending?.id ?? "" })}
        label={t(ending?.deed === "deprecate" ? "products.deprecate" : "products.retire")}
        busy={asked.isPending}
        error={asked.error}
        onConfirm={() => { if (ending !== null) asked.mutate({ params: { path: { id: ending.id } } }); }}
      >
        {t(`products.means.${ending?.deed ?? "retire"}`)}
      </Confirm>
    </>
  );
}

function Publish({ text: first, projects: firstProjects }: { text: string; projects: string[] }) {
  const { t } = useTranslation("administration");
  const [, setParams] = useSearchParams();
  const [text, setText] = useState(first);
  const [projects, setProjects] = useState(firstProjects);
  const publish = api.useMutation("post", "/api/v1/products", {
    onSuccess: async ({ name, title, number }) => {
      toast(t("products.published", { name: title, number }));
      await refresh("/api/v1/products", "/api/v1/products/{name}");
      setParams({ product: name });
    },
  });
  return (
    <Section title={t("products.text")}>
      <Stack>
        <SqlEditor language="yaml" label={t("products.text")} value={text} onChange={(value) => { setText(value); publish.reset(); }} height={360} />
        <TagsInput label={t("products.projects")} description={t("products.projectsHelp")} value={projects} onChange={setProjects} clearButtonProps={{ "aria-label": t("clear") }} />
        <Problem error={publish.error} />
        <Group>
          <Button disabled={text.trim() === ""} loading={publish.isPending} onClick={() => { publish.mutate({ body: { text, projects: projects.length === 0 ? null : projects } }); }}>{t("products.publish")}</Button>
          <Text size="sm" c="dimmed">{t("products.publishMeans")}</Text>
        </Group>
      </Stack>
    </Section>
  );
}
