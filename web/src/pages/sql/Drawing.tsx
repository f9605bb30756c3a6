/** A chart of the first rows of a result. */
import { Group, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { Chart } from "../../parts/Chart";
import { Empty } from "../../parts/Empty";
import { Problem } from "../../parts/Problem";
import { isFigure, NULL } from "./Rows";
import { rowsOf } from "./useAsk";

type ResultColumn = Schema<"ResultColumn">;
const MOST = 500;
const KINDS = ["bar", "line", "area"] as const;
type Kind = (typeof KINDS)[number];

export function Drawing({ id, columns, total }: { id: string; columns: readonly ResultColumn[]; total: number }) {
  const { t } = useTranslation("sql");
  const format = useFormat();
  const first = useQuery(rowsOf(id, 0, MOST));
  const named = columns.map((column, index) => ({ value: String(index), label: column.name, figure: isFigure(column) }));
  const figures = named.filter(({ figure }) => figure);
  const [x, setX] = useState(named.find(({ figure }) => !figure)?.value ?? "0");
  const [y, setY] = useState(figures.find(({ value }) => value !== x)?.value ?? figures[0]?.value ?? "");
  const [kind, setKind] = useState<Kind>("bar");
  const points = useMemo(
    () =>
      (first.data?.rows ?? []).map((row) => {
        const [name, value] = [row[Number(x)], row[Number(y)]];
        return {
          x: typeof name === "string" || typeof name === "number" ? name : name === null ? NULL : JSON.stringify(name),
          // Decimals come as texts.
          y: value === null || value === "" ? null : Number(value),
        };
      }),
    [first.data, x, y],
  );
  if (figures.length === 0) return <Empty title={t("chart.none")}>{t("chart.teach")}</Empty>;
  const label = (value: string) => named[Number(value)]?.label ?? "";
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Select size="xs" label={t("chart.x")} allowDeselect={false} data={named.map(({ value, label: name }) => ({ value, label: name }))} value={x} onChange={(one) => { setX(one ?? x); }} />
        <Select size="xs" label={t("chart.y")} allowDeselect={false} data={figures.map(({ value, label: name }) => ({ value, label: name }))} value={y} onChange={(one) => { setY(one ?? y); }} />
        <Select size="xs" label={t("chart.kind")} allowDeselect={false} data={KINDS.map((value) => ({ value, label: t(`chart.kinds.${value}`) }))} value={kind} onChange={(one) => { setKind(one ?? kind); }} />
      </Group>
      <Problem error={first.error} onRetry={() => void first.refetch()} />
      {first.isPending ? (
        <Skeleton h={280} />
      ) : (
        <Chart
          kind={kind}
          title={t("chart.title", { y: label(y), x: label(x) })}
          points={points}
          x={{ key: "x", label: label(x) }}
          series={[{ key: "y", label: label(y) }]}
          format={(value) => format.number(value)}
          height={280}
        />
      )}
      {total > MOST && <Text size="xs" c="dimmed">{t("chart.first", { shown: format.number(MOST), total: format.number(total) })}</Text>}
    </Stack>
  );
}
