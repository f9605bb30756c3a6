/**
 * Rows of a listing of the API: in pages from the server, with choice of columns, sort, search, export, and a word for
 * every state. While the server has more, it is asked to sort and search, by the columns that it can (`sort`); rows
 * that are all here are sorted and searched here. The export is of the whole set as it is filtered.
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
import { useEffect, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import type { Listing } from "../../api/listing";
import { Problem } from "../Problem";
import { toast } from "../toast";
import { save, toCsv } from "./csv";
import classes from "./DataTable.module.css";

export interface Column<Row> {
  key: string;
  title: string;
  cell: (row: Row) => ReactNode;
  /** What sorts, is searched and exported; without it the column is neither. */
  value?: (row: Row) => string | number | null | undefined;
  /** The field by which the server sorts this column, of those that the API declares for the listing. */
  sort?: string;
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
  rowKey: (row: Row, index: number) => string;
  /** Shown where there are no rows: teach how the first comes about (`Empty`). */
  empty: ReactNode;
  /** Filters that the API does, left of the search. */
  filters?: ReactNode;
  /** Without search, choice of columns and export, for a few rows on a page of many things. */
  plain?: boolean;
  /** The listing has no search on the server: offered once all rows are here. */
  searchedHere?: boolean;
}

/** Most rows that are exported at once; more are said to be cut. */
const EXPORTED_MOST = 100_000;
/** After so long without a key the server is asked. */
const TYPED_MS = 350;

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
  const { listing, columns, rowKey, empty, title, filters, plain = false, searchedHere = false } = props;
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
  const { t } = useTranslation("parts");
  const { asked } = listing;
  const ordered = asked !== undefined && (asked.sort !== null || asked.find !== "");
  const byServer = asked !== undefined && (ordered || listing.more);
  const sorting = byServer && columns.some((column) => column.sort !== undefined);
  // What is sorted and searched by the server is shown as it came.
  const rows = byServer ? table.getCoreRowModel().rows : table.getRowModel().rows;
  const shown = table.getVisibleLeafColumns();
  const [exporting, setExporting] = useState(false);

  const exported = async () => {
    setExporting(true);
    try {
      const all = byServer ? await asked.everyRow(EXPORTED_MOST) : { rows: rows.map(({ original }) => original), cut: false };
      const valued = shown.filter((column) => cells.get(column.id)?.value !== undefined);
      const csv = toCsv(
        valued.map((column) => cells.get(column.id)?.title ?? column.id),
        all.rows.map((row) => valued.map((column) => String(cells.get(column.id)?.value?.(row) ?? ""))),
      );
      save(`${title}.csv`, new Blob(["\ufeff", csv], { type: "text/csv" }));
      toast(t(all.cut ? "table.exportedCut" : "table.exported", { count: all.rows.length }));
    } catch {
      toast(t("table.notExported"), "red");
    } finally {
      setExporting(false);
    }
  };

  if (listing.error !== null) {
    return (
      <Problem
        error={listing.error}
        onRetry={ordered ? () => { asked.ask(null, ""); } : listing.retry}
        {...(ordered && { retry: t("table.asListed") })}
      />
    );
  }
  const none = !listing.loading && listing.rows.length === 0 && !ordered && !listing.more;
  const sortedBy = (column: { id: string; getIsSorted: () => false | "asc" | "desc" }) => {
    if (!byServer) return column.getIsSorted();
    const field = cells.get(column.id)?.sort;
    return field === undefined || asked.sort?.replace("-", "") !== field ? false : asked.sort.startsWith("-") ? "desc" : "asc";
  };
  return (
    <Stack gap="sm">
      {(!plain || filters !== undefined) && (
        <Group justify="space-between" align="flex-start" gap="xs" wrap="nowrap">
          <Group gap="xs">
            {filters}
            {!plain && !none && !(byServer && (searchedHere || !sorting)) && (
              <Search
                first={asked?.find ?? ""}
                every={byServer}
                onFind={(text) => {
                  if (byServer) asked.ask(asked.sort, text.trim());
                  else table.setGlobalFilter(text);
                }}
              />
            )}
          </Group>
          {!plain && !none && (
            <Group gap={4} wrap="nowrap">
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
              <ActionIcon variant="subtle" color="gray" size="lg" aria-label={t("table.export")} title={t("table.export")} loading={exporting} onClick={() => void exported()}>
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
          <Table highlightOnHover verticalSpacing="xs" aria-busy={listing.loading || listing.asking === true}>
            <caption className="hush">{title}</caption>
            <Table.Thead>
              <Table.Tr>
                {shown.map((column) => (
                  <Table.Th
                    key={column.id}
                    scope="col"
                    className={cells.get(column.id)?.figure === true ? classes.figure : undefined}
                    aria-sort={sortOf(sortedBy(column))}
                  >
                    {!plain && (sorting ? cells.get(column.id)?.sort !== undefined : column.getCanSort() && !byServer) ? (
                      <UnstyledButton
                        className={classes.sort}
                        onClick={() => {
                          const field = cells.get(column.id)?.sort;
                          if (sorting && field !== undefined) asked.ask(turned(field, asked.sort, cells.get(column.id)?.figure), asked.find);
                          else column.toggleSorting();
                        }}
                      >
                        {cells.get(column.id)?.title}
                        <SortIcon sorted={sortedBy(column)} />
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
              ? t(sorting || plain ? "table.some" : "table.someAsListed", { count: rows.length })
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

/** Texts go up, down, then as listed; of figures and moments the largest is wanted first. */
function turned(field: string, now: string | null, figure = false): string | null {
  const [first, second] = figure ? [`-${field}`, field] : [field, `-${field}`];
  return now === first ? second : now === second ? null : first;
}

/** What one types is looked for here at once, by the server when one pauses. */
function Search({ first, every, onFind }: { first: string; every: boolean; onFind: (text: string) => void }) {
  const { t } = useTranslation("parts");
  const [text, setText] = useState(first);
  useEffect(() => {
    if (!every || text.trim() === first) return undefined;
    const timer = setTimeout(() => { onFind(text); }, TYPED_MS);
    return () => { clearTimeout(timer); };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- only what is typed starts the clock
  }, [text]);
  const label = t(every ? "table.searchAll" : "table.search");
  return (
    <TextInput
      aria-label={label}
      placeholder={label}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        if (!every) onFind(event.currentTarget.value);
      }}
    />
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
