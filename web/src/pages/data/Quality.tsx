/** What became of the last deliveries, in counts that add up. */
import { Stack } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { Chart } from "../../parts/Chart";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

type Delivery = Schema<"DeliveryQuality">;

export function Quality({ name }: { name: string }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  const asked = api.useQuery("get", "/api/v1/datasets/{name}/quality", { params: { path: { name } } });
  const deliveries = asked.data?.deliveries ?? [];
  const columns = useMemo<Column<Delivery>[]>(
    () => [
      { key: "when", title: t("quality.when"), value: ({ submitted_at }) => submitted_at, cell: ({ submitted_at }) => <When at={submitted_at} absolute /> },
      { key: "source", title: t("quality.source"), value: ({ source }) => source, cell: ({ source }) => source },
      { key: "state", title: t("quality.state"), value: ({ state }) => state, cell: ({ state }) => <StateBadge state={state} /> },
      { key: "in", title: t("quality.in"), figure: true, value: ({ rows_in }) => rows_in, cell: ({ rows_in }) => <Count value={rows_in} /> },
      { key: "committed", title: t("quality.committed"), figure: true, value: ({ rows_committed }) => rows_committed, cell: ({ rows_committed }) => <Count value={rows_committed} /> },
      { key: "held", title: t("quality.held"), figure: true, value: ({ rows_quarantined }) => rows_quarantined, cell: ({ rows_quarantined }) => <Count value={rows_quarantined} /> },
      { key: "part", title: t("quality.part"), figure: true, value: ({ part_committed }) => part_committed, cell: ({ part_committed }) => (part_committed === null ? "–" : format.percent(part_committed)) },
      { key: "files", title: t("quality.files"), figure: true, value: ({ files_refused }) => files_refused, cell: ({ files, files_refused }) => t("quality.ofFiles", { refused: files_refused, files }) },
      { key: "version", title: t("quality.version"), figure: true, hidden: true, value: ({ dataset_version }) => dataset_version, cell: ({ dataset_version }) => dataset_version ?? "–" },
    ],
    [t, format],
  );
  return (
    <Section title={t("tab.quality")}>
      <Stack>
        {deliveries.length > 1 && (
          <Chart
            kind="bar"
            stacked
            title={t("quality.chart")}
            x={{ key: "at", label: t("quality.when") }}
            points={[...deliveries].reverse().map((one, index) => ({
              at: one.submitted_at === null ? String(index + 1) : format.dateTime(one.submitted_at),
              committed: one.rows_committed,
              held: one.rows_quarantined,
            }))}
            series={[{ key: "committed", label: t("quality.committed") }, { key: "held", label: t("quality.held") }]}
            format={(value) => format.number(value)}
          />
        )}
        <DataTable title={t("tab.quality")} listing={complete(asked.data?.deliveries, asked)} columns={columns} rowKey={({ delivery }) => delivery} empty={<Empty title={t("quality.none")}>{t("quality.teach")}</Empty>} />
      </Stack>
    </Section>
  );
}
