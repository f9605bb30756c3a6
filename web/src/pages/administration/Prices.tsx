import { Skeleton, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { complete, type Item } from "../../api/listing";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Bytes } from "../../parts/Figures";
import { Price } from "../../parts/Price";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

type Book = Schema<"PriceBook">;
type Size = Item<"/api/v1/sizes">;
const NOTHING_ASKED = { isPending: false, error: null, refetch: () => undefined };

/** Prices by date: those to come, those in force, those of the past; then sizes of machines. */
export function Prices() {
  const { t } = useTranslation("administration");
  const may = useMay();
  const asked = api.useQuery("get", "/api/v1/price-books");
  const today = new Date().toISOString().slice(0, 10);
  const books = asked.data?.items ?? [];
  const inForce = books.findLast(({ valid_from }) => valid_from <= today);
  return (
    <Stack>
      <Text size="sm" c="dimmed">{t("prices.about")}</Text>
      <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      {asked.isPending && <Skeleton h={200} />}
      {books.toReversed().map((book) => (
        <OneBook key={book.valid_from} book={book} state={book === inForce ? "current" : book.valid_from > today ? "waiting" : "expired"} />
      ))}
      {may("products:read") && <Sizes />}
    </Stack>
  );
}

function OneBook({ book, state }: { book: Book; state: "current" | "waiting" | "expired" }) {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const columns = useMemo<Column<Book["prices"][number]>[]>(
    () => [
      { key: "metric", title: t("prices.metric"), cell: ({ metric }) => t(`prices.metrics.${metric}`) },
      { key: "eur", title: t("prices.price"), figure: true, cell: ({ eur }) => <span className="tabular">{format.number(Number(eur), { style: "currency", currency: book.currency, maximumFractionDigits: 6 })}</span> },
      { key: "per", title: t("prices.per"), figure: true, cell: ({ per, metric }) => <span className="tabular">{t(`prices.unit.${unitOf(metric)}`, { amount: format.number(Number(per)) })}</span> },
    ],
    [t, format, book.currency],
  );
  return (
    <Section title={t("prices.from", { when: format.date(book.valid_from) })} aside={<StateBadge state={state} />}>
      <DataTable plain title={t("prices.from", { when: format.date(book.valid_from) })} listing={complete(book.prices, NOTHING_ASKED)} columns={columns} rowKey={({ metric }) => metric} empty={null} />
    </Section>
  );
}

function unitOf(metric: string): "seconds" | "byteDays" | "bytes" {
  if (metric.endsWith("_seconds")) return "seconds";
  return metric.endsWith("_byte_days") ? "byteDays" : "bytes";
}

function Sizes() {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const asked = api.useQuery("get", "/api/v1/sizes");
  const columns = useMemo<Column<Size>[]>(
    () => [
      { key: "name", title: t("prices.size"), value: ({ name }) => name, cell: ({ name }) => name },
      { key: "vcpu", title: t("prices.cpu"), figure: true, value: ({ vcpu }) => vcpu, cell: ({ vcpu }) => format.number(vcpu) },
      { key: "memory", title: t("prices.memory"), figure: true, value: ({ memory_bytes }) => memory_bytes, cell: ({ memory_bytes }) => <Bytes bytes={memory_bytes} /> },
      { key: "hour", title: t("prices.hour"), figure: true, value: ({ eur_per_hour }) => Number(eur_per_hour), cell: ({ eur_per_hour }) => <Price eurPerHour={eur_per_hour} /> },
      { key: "month", title: t("prices.month"), figure: true, value: ({ eur_per_working_month }) => Number(eur_per_working_month), cell: ({ eur_per_working_month }) => <Price eurPerHour={eur_per_working_month} /> },
    ],
    [t, format],
  );
  return (
    <Section title={t("prices.sizes")}>
      <DataTable title={t("prices.sizes")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ name }) => name} empty={null} />
    </Section>
  );
}
