/** The tables of a dataset, their columns, and what was done to each on its way in. The open table is in the address. */
import { Accordion, Anchor, Code, Group, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import type { Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Section } from "../../parts/Section";

type Described = Schema<"DescribedTable">;
type DescribedColumn = Schema<"DescribedColumn">;
const HERE = { isPending: false, error: null, refetch: () => undefined };

export function Tables({ dataset: { tables } }: { dataset: Schema<"DatasetDescription"> }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const [params, setParams] = useSearchParams();
  const open = params.get("table") ?? tables.find(({ rows }) => rows !== null)?.table ?? null;
  if (tables.length === 0) return <Empty title={t("tables.none")}>{t("tables.teach")}</Empty>;
  return (
    <Section title={t("tables.title")}>
      <Accordion
        variant="separated"
        order={3}
        value={open}
        onChange={(table) => {
          setParams((now) => { now.set("table", table ?? ""); return now; }, { replace: true, preventScrollReset: true });
        }}
      >
        {tables.map((one) => (
          <Accordion.Item key={one.table} value={one.table}>
            <Accordion.Control>
              <Group gap="xs">
                <Code>{one.table}</Code>
                <Text size="sm">{one.description}</Text>
                <Text size="sm" c="dimmed">
                  {one.rows === null ? t("tables.unfilled") : t("tables.rows", { count: one.rows, shown: format.number(one.rows) })}
                </Text>
              </Group>
            </Accordion.Control>
            <Accordion.Panel>{open === one.table && <Table {...one} />}</Accordion.Panel>
          </Accordion.Item>
        ))}
      </Accordion>
    </Section>
  );
}

function Table({ table, columns, subject, sample_query, rows, size_bytes }: Described) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const may = useMay();
  const shown = useMemo<Column<DescribedColumn>[]>(
    () => [
      { key: "name", title: t("columns.name"), value: ({ name }) => name, cell: ({ name, description }) => (
        <>
          <Code>{name}</Code>
          {description !== "" && <Text size="xs" c="dimmed" maw="26rem">{description}</Text>}
        </>
      ) },
      { key: "type", title: t("columns.type"), value: ({ type }) => type, cell: ({ type, unit }) => [type, unit].filter(Boolean).join(", ") },
      { key: "treatment", title: t("columns.treatment"), value: ({ treatment }) => treatment, cell: ({ treatment, words }) => (
        <>
          <Text size="sm" fw={500}>{treatment}</Text>
          <Text size="xs" c="dimmed" maw="26rem">{words}</Text>
        </>
      ) },
      { key: "reason", title: t("columns.reason"), hidden: true, value: ({ reason }) => reason, cell: ({ reason }) => <Text size="xs" maw="26rem">{reason}</Text> },
      { key: "source", title: t("columns.source"), hidden: true, value: ({ source_column }) => source_column, cell: ({ source_column }) => <Code>{source_column}</Code> },
    ],
    [t],
  );
  const facts = [
    ...(size_bytes === null ? [] : [format.bytes(size_bytes)]),
    ...(subject === null ? [] : [t("tables.subject", { column: subject })]),
  ];
  return (
    <Stack gap="sm">
      {facts.length > 0 && <Text size="sm" c="dimmed">{facts.join(" · ")}</Text>}
      {may("queries:run") && rows !== null && (
        <Anchor component={Link} size="sm" to={{ pathname: "/sql", hash: encodeURIComponent(sample_query) }}>
          {t("tables.sample", { table })}
        </Anchor>
      )}
      <DataTable title={t("columns.title", { table })} listing={complete(columns, HERE)} columns={shown} rowKey={({ name }) => name} empty={<Empty title={t("columns.none")} />} />
    </Stack>
  );
}
