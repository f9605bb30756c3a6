/** Costs of a month by a key and by day; whatever is chosen narrows all of it, down to the records behind. */
import { Anchor, Badge, CloseButton, Group, SegmentedControl, Select, Skeleton, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { Chart } from "../../parts/Chart";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { daysOf, KEYS, lastMonths, useAsked } from "./asked";
import { Records } from "./Records";
import { Amount, useWords } from "./words";

type Line = Schema<"CostLineOverTime">;
/** Lines that are drawn; the table has all. */
const DRAWN = 8;

export function Spent() {
  const { t } = useTranslation("costs");
  const { month, by, filter, ask } = useAsked();
  const words = useWords();
  const months = lastMonths();
  const chosen = KEYS.flatMap((key) => (filter[key] ? [{ key, value: filter[key] }] : []));
  return (
    <Stack gap="lg">
      <Group gap="sm" align="flex-end">
        <Select
          label={t("month")}
          allowDeselect={false}
          data={(months.includes(month) ? months : [month, ...months]).map((value) => ({ value, label: words.month(value) }))}
          value={month}
          onChange={(value) => { ask({ month: value }); }}
        />
        <SegmentedControl
          aria-label={t("by.label")}
          data={KEYS.map((value) => ({ value, label: t(`by.${value}`) }))}
          value={by}
          onChange={(value) => { ask({ by: value }); }}
        />
      </Group>
      {chosen.length > 0 && (
        <Group gap="xs" role="group" aria-label={t("filter.label")}>
          {chosen.map(({ key, value }) => {
            const label = t("filter.one", { what: t(`by.${key}`), name: words.key(key, value) });
            return (
              <Badge
                key={key}
                size="lg"
                variant="light"
                tt="none"
                fw={500}
                rightSection={<CloseButton size="xs" aria-label={t("filter.drop", { name: label })} onClick={() => { ask({ [key]: null }); }} />}
              >
                {label}
              </Badge>
            );
          })}
        </Group>
      )}
      <Lines />
      {chosen.length > 0 && <Records month={month} filter={filter} />}
    </Stack>
  );
}

function Lines() {
  const { t } = useTranslation("costs");
  const { month, by, filter, ask } = useAsked();
  const [params] = useSearchParams();
  const words = useWords();
  const format = useFormat();
  const asked = api.useQuery("get", "/api/v1/costs/series", { params: { query: { ...filter, by, ...daysOf(month) } } });
  const lines = asked.data?.lines;
  const columns = useMemo<Column<Line>[]>(() => {
    const leadsTo = (key: string) => {
      const next = new URLSearchParams(params);
      next.set(by, key);
      return `?${next.toString()}`;
    };
    return [
      { key: "key", title: t(`by.${by}`), value: ({ key }) => words.key(by, key), cell: ({ key }) => (
        <Anchor component={Link} to={leadsTo(key)} size="sm" fw={500} preventScrollReset>{words.key(by, key)}</Anchor>
      ) },
      { key: "records", title: t("records.count"), figure: true, value: recordsOf, cell: (line) => <Count value={recordsOf(line)} /> },
      { key: "amount", title: t("amount"), figure: true, value: ({ total_eur }) => total_eur, cell: ({ total_eur }) => <Amount eur={total_eur} /> },
    ];
    // eslint-disable-next-line react-hooks/exhaustive-deps -- words follow the language, as t does
  }, [t, by, params]);
  const drawn = (lines ?? []).slice(0, DRAWN);
  const points = (asked.data?.periods ?? []).map((period, index) => ({
    day: words.day(period),
    // Drawn only: sums are the API's, and stand in the table.
    ...Object.fromEntries(drawn.map(({ points: ofLine }, line) => [`line${String(line)}`, Number(ofLine[index]?.amount_eur ?? 0)])),
  }));
  return (
    <Section
      title={words.month(month)}
      aside={asked.data && <Text fw={600} component="div"><span className="hush">{t("total")} </span><Amount eur={asked.data.total_eur} /></Text>}
    >
      {asked.error !== null ? (
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : asked.isPending ? (
        <Skeleton h={320} />
      ) : asked.data.lines.length === 0 ? (
        <Empty title={t("spent.none")}>{t("spent.teach")}</Empty>
      ) : (
        <Stack gap="lg">
          <Chart
            kind="bar"
            stacked
            title={t("spent.chart", { by: t(`by.${by}`).toLocaleLowerCase() })}
            points={points}
            x={{ key: "day", label: t("day") }}
            series={drawn.map(({ key }, line) => ({ key: `line${String(line)}`, label: words.key(by, key) }))}
            format={(value) => format.money(value)}
            onChoose={(index) => { const key = drawn[index]?.key; if (key !== undefined) ask({ [by]: key }); }}
          />
          {asked.data.lines.length > DRAWN && <Text size="xs" c="dimmed">{t("spent.drawn", { count: DRAWN })}</Text>}
          <DataTable
            title={t("spent.table", { by: t(`by.${by}`).toLocaleLowerCase() })}
            listing={complete(asked.data.lines, asked)}
            columns={columns}
            rowKey={({ key }) => key}
            empty={null}
          />
        </Stack>
      )}
    </Section>
  );
}

function recordsOf({ points }: Line): number {
  return points.reduce((sum, { records }) => sum + records, 0);
}

