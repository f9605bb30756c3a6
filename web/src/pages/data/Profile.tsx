/** Safe figures of each column of the newest version: how full, how many values, how they are spread. */
import { Alert, Badge, Card, Group, Progress, Select, Skeleton, Stack, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { Columns } from "../../parts/Columns";
import { Empty } from "../../parts/Empty";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import classes from "./data.module.css";

type ColumnProfile = Schema<"ColumnProfile">;
/** How often figures that are being computed are asked for: of their arrival no event tells. */
const FOLLOW_MS = 2000;
const WITHHELD = ["pseudonym", "many_values", "small"] as const;

export function Profile({ name, latest }: { name: string; latest: number }) {
  const { t } = useTranslation("data");
  const [params, setParams] = useSearchParams();
  const asked = api.useQuery(
    "get",
    "/api/v1/datasets/{name}/profile",
    { params: { path: { name } } },
    { enabled: latest > 0, refetchInterval: ({ state }) => (state.data?.missing.length ? FOLLOW_MS : false) },
  );
  if (latest === 0) return <Empty title={t("profile.none")}>{t("profile.teach")}</Empty>;
  if (asked.data === undefined) return asked.isPending ? <Skeleton h={300} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />;
  const { tables, missing, small_cell, number } = asked.data;
  const wanted = params.get("table");
  const table = tables.find((one) => one.table === wanted) ?? tables[0];
  return (
    <Section
      title={t("profile.title", { number })}
      aside={
        table !== undefined && (
          <Select
            size="xs"
            aria-label={t("profile.table")}
            allowDeselect={false}
            data={tables.map((one) => one.table)}
            value={table.table}
            onChange={(one) => {
              setParams((now) => { now.set("table", one ?? table.table); return now; }, { replace: true, preventScrollReset: true });
            }}
          />
        )
      }
    >
      <Stack gap="sm">
        <Text size="sm" c="dimmed">{t("profile.safe", { least: small_cell })}</Text>
        {missing.length > 0 && <Alert color="blue" role="status" title={t("profile.pending", { names: missing.join(", ") })} />}
        {table !== undefined && table.failure !== "" && <Alert color="yellow" title={table.failure}>{t("profile.failed")}</Alert>}
        {table !== undefined && (
          <Columns least="narrow">
            {table.columns.map((column) => (
              <OneColumn key={column.name} column={column} rows={table.rows} />
            ))}
          </Columns>
        )}
      </Stack>
    </Section>
  );
}

function OneColumn({ column, rows }: { column: ColumnProfile; rows: number }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const { name, type, treatment, unit, nulls, distinct, min, max, histogram, values, other_rows, withheld } = column;
  const why = WITHHELD.find((one) => one === withheld);
  return (
    <Card withBorder padding="sm">
      <Group justify="space-between" gap="xs" mb={4}>
        <Title order={3} size="h5" className={classes.name ?? ""}>{name}</Title>
        <Badge variant="light" color="gray" tt="none" radius="sm" fw={500}>{[type, unit].filter(Boolean).join(", ")}</Badge>
      </Group>
      <Text size="xs" c="dimmed">
        {[
          treatment,
          t("profile.distinct", { count: distinct, shown: format.number(distinct) }),
          nulls === null ? t("profile.fewNulls") : nulls === 0 ? t("profile.full") : t("profile.nulls", { part: format.percent(rows === 0 ? 0 : Math.min(nulls / rows, 1)) }),
        ].join(" · ")}
      </Text>
      {histogram.length > 0 && <Histogram column={column} />}
      {histogram.length > 0 && (min ?? max) !== null && (
        <Group justify="space-between">
          <Text size="xs" className="tabular">{shownOf(min)}</Text>
          <Text size="xs" className="tabular">{shownOf(max)}</Text>
        </Group>
      )}
      {values.length > 0 && (
        <Stack gap={6} mt="xs">
          {values.map((one) => (
            <Bar key={one.value} label={one.value} count={one.rows} rows={rows} />
          ))}
          {other_rows !== null && other_rows !== undefined && other_rows > 0 && <Bar label={t("profile.others")} count={other_rows} rows={rows} />}
        </Stack>
      )}
      {values.length > 0 && other_rows === null && <Text size="xs" c="dimmed" mt={4}>{t("profile.rest")}</Text>}
      {withheld !== "" && <Text size="xs" mt="xs">{why === undefined ? withheld : t(`profile.withheld.${why}`)}</Text>}
    </Card>
  );
}

function shownOf(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
}

function Bar({ label, count, rows }: { label: string; count: number; rows: number }) {
  const format = useFormat();
  return (
    <div>
      <Group justify="space-between" gap="xs" wrap="nowrap">
        <Text size="xs" truncate title={label}>{label}</Text>
        <Text size="xs" className="tabular">{format.number(count)}</Text>
      </Group>
      <Progress size="sm" value={rows === 0 ? 0 : Math.min(100, (count / rows) * 100)} aria-label={label} />
    </div>
  );
}

function Histogram({ column: { name, histogram } }: { column: ColumnProfile }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const most = Math.max(1, ...histogram.map(({ rows }) => rows ?? 0));
  const told = histogram.map(({ low, high, rows }) => t("profile.bin", { low: shownOf(low), high: shownOf(high), rows: rows === null ? t("profile.few") : format.number(rows) }));
  return (
    <div className={classes.bins} role="img" aria-label={t("profile.spread", { name, bins: told.join("; ") })}>
      {histogram.map(({ rows }, index) => (
        <div
          key={index}
          title={told[index]}
          className={[classes.bin, rows === null ? classes.few : ""].join(" ")}
          style={{ height: `${Math.max(3, ((rows ?? 0) / most) * 100)}%` }}
        />
      ))}
    </div>
  );
}
