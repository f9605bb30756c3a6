/**
 * Rows of a listing of the API: in pages from the server, with choice of columns, sort, search, export, and a word for
 * every state. Sort and search work over what is here; while the server has more, the table says so.
 */
import { ActionIcon, Button, Group, Menu, Skeleton, Stack, Table, Text, TextInput, UnstyledButton } from "@mantine/core";
import { IconArrowDown, IconArrowsSort, IconArrowUp, IconColumns3, IconDownload, IconSearch } from "@tabler/icons-react";
import {
  columnVisibilityFeature,
  createFilteredRowModel,
  createSortedRowModel,
  filterFn_includesString,
  globalFilteringFeature,
  columnFilteringFeature,
  rowSortingFeature,
  sortFn_alphanumeric,
  tableFeatures,
  useTable,
  type ColumnDef,
  type Row as TableRow,
} from "@tanstack/react-table";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Listing } from "../../api/listing";
import { Problem } from "../Problem";
import { save, toCsv } from "./csv";
import classes from "./DataTable.module.css";

export interface Column<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ReactNode;
  /** What sorts, is searched and exported; without it the column is neither. */
  value?: (row: Row) => string | number | null | undefined;
  /** Figures stand at the right. */
  figure?: boolean;
  /** Not shown until chosen. */
  hidden?: boolean;
}

interface Props<Row> {
  /** What the rows are; read out, and the name of the exported file. */
  title: string;
  listing: Listing<Row>;
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  /** Shown where there are no rows: teach how the first comes about (`Empty`). */
  empty: ReactNode;
  /** Filters that the API does, left of the search. */
  filters?: ReactNode;
  /** Without search, choice of columns and export, for a few rows on a page of many things. */
  plain?: boolean;
}

const features = tableFeatures({
  columnVisibilityFeature,
  columnFilteringFeature,
  globalFilteringFeature,
  rowSortingFeature,
  filteredRowModel: createFilteredRowModel(),
  sortedRowModel: createSortedRowModel(),
  filterFns: { includesString: filterFn_includesString },
  sortFns: { alphanumeric: sortFn_alphanumeric },
});
type Features = typeof features;

export function DataTable<Row extends object>(props: Props<Row>) {
  const { listing, columns, rowKey, empty, title, filters, plain = false } = props;
  const defs = useMemo<ColumnDef<Features, Row>[]>(
    () =>
      columns.map(({ key, title: header, value, figure = false }) => ({
        id: key,
        header,
        accessorFn: (row: Row) => value?.(row) ?? null,
        enableSorting: value !== undefined,
        enableGlobalFilter: value !== undefined,
        sortFn: figure ? byFigure : ("alphanumeric" as const),
      })),
    [columns],
  );
  const cells = useMemo(() => new Map(columns.map((column) => [column.key, column])), [columns]);
  const table = useTable<Features, Row>({
    features,
    data: listing.rows,
    columns: defs,
    getRowId: rowKey,
    globalFilterFn: "includesString",
    initialState: {
      columnVisibility: Object.fromEntries(columns.filter((one) => one.hidden === true).map((one) => [one.key, false])),
    },
  });
  const rows = table.getRowModel().rows;
  const shown = table.getVisibleLeafColumns();
  const { t } = useTranslation("parts");

  const exported = () => {
    const valued = shown.filter((column) => cells.get(column.id)?.value !== undefined);
    const csv = toCsv(
      valued.map((column) => cells.get(column.id)?.title ?? column.id),
      rows.map((row) => valued.map((column) => String(cells.get(column.id)?.value?.(row.original) ?? ""))),
    );
    save(`${title}.csv`, new Blob(["\ufeff", csv], { type: "text/csv" }));
  };

  if (listing.error !== null) return <Problem error={listing.error} onRetry={listing.retry} />;
  const none = !listing.loading && listing.rows.length === 0;
  return (
    <Stack gap="sm">
      {(!plain || filters !== undefined) && (
        <Group justify="space-between" gap="xs">
          <Group gap="xs">
            {filters}
            {!plain && !none && (
              <TextInput
                aria-label={t("table.search")}
                placeholder={t("table.search")}
                leftSection={<IconSearch size={16} aria-hidden />}
                value={String(table.state.globalFilter ?? "")}
                onChange={(event) => {
                  table.setGlobalFilter(event.currentTarget.value);
                }}
              />
            )}
          </Group>
          {!plain && !none && (
            <Group gap={4}>
              <Menu closeOnItemClick={false} position="bottom-end">
                <Menu.Target>
                  <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("table.columns")} title={t("table.columns")}>
                    <IconColumns3 size={18} aria-hidden />
                  </ActionIcon>
                </Menu.Target>
                <Menu.Dropdown>
                  {table.getAllLeafColumns().map((column) => (
                    <Menu.CheckboxItem
                      key={column.id}
                      checked={column.getIsVisible()}
                      onChange={() => {
                        column.toggleVisibility();
                      }}
                    >
                      {cells.get(column.id)?.title}
                    </Menu.CheckboxItem>
                  ))}
                </Menu.Dropdown>
              </Menu>
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("table.export")} title={t("table.export")} onClick={exported}>
                <IconDownload size={18} aria-hidden />
              </ActionIcon>
            </Group>
          )}
        </Group>
      )}
      {none ? (
        empty
      ) : (
        // A region that scrolls sideways is reached by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className={classes.scroll} role="region" aria-label={t("table.rows", { title })} tabIndex={0}>
          <Table highlightOnHover verticalSpacing="xs" aria-busy={listing.loading}>
            <caption className="hush">{title}</caption>
            <Table.Thead>
              <Table.Tr>
                {shown.map((column) => (
                  <Table.Th
                    key={column.id}
                    scope="col"
                    className={cells.get(column.id)?.figure === true ? classes.figure : undefined}
                    aria-sort={sortOf(column.getIsSorted())}
                  >
                    {column.getCanSort() && !plain ? (
                      <UnstyledButton className={classes.sort} onClick={() => { column.toggleSorting(); }}>
                        {cells.get(column.id)?.title}
                        <SortIcon sorted={column.getIsSorted()} />
                      </UnstyledButton>
                    ) : (
                      cells.get(column.id)?.title
                    )}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {listing.loading
                ? Array.from({ length: 4 }, (_, index) => (
                    <Table.Tr key={index}>
                      {shown.map((column) => (
                        <Table.Td key={column.id}>
                          <Skeleton h={14} my={4} />
                        </Table.Td>
                      ))}
                    </Table.Tr>
                  ))
                : rows.map((row) => (
                    <Table.Tr key={row.id}>
                      {shown.map((column) => {
                        const { cell, figure } = cells.get(column.id) ?? {};
                        return (
                          <Table.Td key={column.id} className={figure === true ? classes.figure : undefined}>
                            {cell?.(row.original)}
                          </Table.Td>
                        );
                      })}
                    </Table.Tr>
                  ))}
            </Table.Tbody>
          </Table>
        </div>
      )}
      {!listing.loading && !none && !(plain && !listing.more) && (
        <Group justify="space-between" gap="xs">
          <Text size="sm" c="dimmed" role="status">
            {listing.more
              ? t("table.some", { shown: rows.length, count: listing.rows.length })
              : t("table.all", { shown: rows.length, count: listing.rows.length })}
          </Text>
          {listing.more && (
            <Button variant="default" size="xs" loading={listing.loadingMore} onClick={listing.showMore}>
              {t("table.more")}
            </Button>
          )}
        </Group>
      )}
    </Stack>
  );
}

/** Figures may be decimal texts: compared as numbers, kept as texts. Nothing comes before every figure. */
function byFigure<Row extends object>(a: TableRow<Features, Row>, b: TableRow<Features, Row>, column: string): number {
  const x = a.getValue<string | number | null>(column);
  const y = b.getValue<string | number | null>(column);
  if (x === null || y === null) return Number(x !== null) - Number(y !== null);
  return Math.sign(Number(x) - Number(y));
}

function sortOf(sorted: false | "asc" | "desc"): "ascending" | "descending" | undefined {
  if (sorted === false) return undefined;
  return sorted === "asc" ? "ascending" : "descending";
}

function SortIcon({ sorted }: { sorted: false | "asc" | "desc" }) {
  const Icon = sorted === false ? IconArrowsSort : sorted === "asc" ? IconArrowUp : IconArrowDown;
  return <Icon size={14} aria-hidden className={sorted === false ? classes.unsorted : undefined} />;
}
