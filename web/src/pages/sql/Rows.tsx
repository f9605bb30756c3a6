/** The rows of a result, of which those near what is in view are held. */
import { Text } from "@mantine/core";
import { useQueries } from "@tanstack/react-query";
import { useDebouncedCallback } from "@mantine/hooks";
import { useCallback, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "../../api/atoll";
import { Empty } from "../../parts/Empty";
import { Problem } from "../../parts/Problem";
import { VirtualGrid } from "../../parts/VirtualGrid";
import { rowsOf } from "./useAsk";

type ResultColumn = Schema<"ResultColumn">;
/** As SQL writes it, in every language. */
export const NULL = "NULL";
const BLOCK = 200;
/** While one drags past many rows, none of them is asked for. */
const REST_MS = 60;
const FIGURE = /^(u?int|half|float|double|decimal)/i;

export function isFigure({ type }: ResultColumn): boolean {
  return FIGURE.test(type);
}

function written(value: unknown): ReactNode {
  if (value === null || value === undefined) return <Text span inherit c="dimmed">{NULL}</Text>;
  if (typeof value === "string") return value;
  return JSON.stringify(value);
}

export function Rows({ id, columns, total }: { id: string; columns: readonly ResultColumn[]; total: number }) {
  const { t } = useTranslation("sql");
  const [view, setView] = useState<readonly [number, number]>([0, 0]);
  const look = useDebouncedCallback((first: number, last: number) => { setView([first, last]); }, REST_MS);
  const onView = useCallback((first: number, last: number) => { look(first, last); }, [look]);
  const blocks = useMemo(() => {
    const [first, last] = view.map((row) => Math.floor(row / BLOCK)) as [number, number];
    return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * BLOCK);
  }, [view]);
  const held = useQueries({ queries: blocks.map((offset) => rowsOf(id, offset, BLOCK)) });
  const titles = useMemo(
    () =>
      columns.map((column, index) => ({
        key: String(index),
        title: <>{column.name} <Text span inherit fw={400} c="dimmed">{column.type}</Text></>,
        figure: isFigure(column),
      })),
    [columns],
  );
  const rowAt = (index: number) => {
    const offset = Math.floor(index / BLOCK) * BLOCK;
    return held[blocks.indexOf(offset)]?.data?.rows[index - offset]?.map(written);
  };
  const failed = held.find(({ error }) => error !== null);
  if (total === 0) return <Empty title={t("result.none")}>{t("result.noneTeach")}</Empty>;
  return (
    <>
      <Problem error={failed?.error} onRetry={() => void failed?.refetch()} />
      <VirtualGrid label={t("result.grid")} columns={titles} total={total} rowAt={rowAt} onView={onView} height={Math.min(420, 34 + 30 * total + 18)} />
    </>
  );
}
