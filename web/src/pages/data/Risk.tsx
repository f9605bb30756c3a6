/** How likely it is that somebody is recognised: people by the size of their group, and what to make coarser. */
import { Alert, Skeleton, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { Chart } from "../../parts/Chart";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

type TableRisk = Schema<"TableRisk">;
type Without = Schema<"WithoutColumn">;
/** How often a report that is being computed is asked for: of its arrival no event tells. */
const FOLLOW_MS = 2000;

export function Risk({ name, latest }: { name: string; latest: number }) {
  const { t } = useTranslation("data");
  const asked = api.useQuery(
    "get",
    "/api/v1/datasets/{name}/risk",
    { params: { path: { name } } },
    { enabled: latest > 0, refetchInterval: ({ state }) => (state.data?.state === "pending" ? FOLLOW_MS : false) },
  );
  if (latest === 0) return <Empty title={t("risk.empty")}>{t("risk.teach")}</Empty>;
  if (asked.data === undefined) return asked.isPending ? <Skeleton h={300} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />;
  const { state, tables } = asked.data;
  if (state === "none") return <Empty title={t("risk.none")}>{t("risk.teach")}</Empty>;
  return (
    <Stack>
      {state === "pending" && <Alert color="blue" role="status" title={t("risk.pending")} />}
      {tables.map((table) => (
        <OneTable key={table.table} risk={table} />
      ))}
    </Stack>
  );
}

function OneTable({ risk }: { risk: TableRisk }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const { table, quasi_identifiers, people, people_under_k, unique_people, smallest_group, average_risk, highest_risk, policy, exceeded, sizes, diversity, without } = risk;
  const part = (count: number) => format.percent(people === 0 ? 0 : count / people);
  const columns = useMemo<Column<Without>[]>(
    () => [
      { key: "column", title: t("risk.without"), value: ({ column }) => column, cell: ({ column }) => column },
      { key: "values", title: t("risk.values"), figure: true, value: ({ values }) => values, cell: ({ values }) => <Count value={values} /> },
      { key: "smallest", title: t("risk.smallest"), figure: true, value: ({ smallest_group: size }) => size, cell: ({ smallest_group: size }) => <Count value={size} /> },
      { key: "under", title: t("risk.small", { least: policy.min_k }), figure: true, value: ({ people_under_k: under }) => under, cell: ({ people_under_k: under }) => <Count value={under} /> },
    ],
    [t, policy.min_k],
  );
  const facts = [
    t("risk.people", { count: people, shown: format.number(people) }),
    t("risk.k", { size: format.number(smallest_group) }),
    t("risk.under", { part: part(people_under_k), least: policy.min_k }),
    t("risk.unique", { part: part(unique_people) }),
    t("risk.average", { risk: format.percent(average_risk), most: format.percent(policy.max_risk) }),
    t("risk.highest", { risk: format.percent(highest_risk) }),
    ...diversity.map(({ column, least }) => t("risk.l", { column, least })),
  ];
  const label = ({ low, high }: TableRisk["sizes"][number]) => (high === null ? t("risk.more", { low }) : low === high ? String(low) : t("risk.range", { low, high }));
  return (
    <Section title={t("risk.title", { table, columns: format.list(quasi_identifiers) })}>
      <Stack gap="sm">
        {exceeded.length === 0 ? (
          <Alert color="green" role="status" title={t("risk.passes", { least: policy.min_k, most: format.percent(policy.max_risk) })} />
        ) : (
          <Alert color="yellow" role="status" title={t(`risk.above.${policy.above}`)}>
            {exceeded.map((line) => (
              <Text key={line} size="sm">{line}</Text>
            ))}
          </Alert>
        )}
        <Text size="sm" c="dimmed">{facts.join(" · ")}</Text>
        <Chart
          kind="bar"
          title={t("risk.chart")}
          x={{ key: "size", label: t("risk.size") }}
          points={sizes.map((bar) => ({ size: label(bar), people: bar.people }))}
          series={[{ key: "people", label: t("risk.inThem") }]}
          format={(value) => format.number(value)}
        />
        <DataTable title={t("risk.coarser")} listing={complete(without, { isPending: false, error: null, refetch: () => undefined })} columns={columns} rowKey={({ column }) => column} plain empty={<Empty title={t("risk.none")}>{t("risk.teach")}</Empty>} />
      </Stack>
    </Section>
  );
}
