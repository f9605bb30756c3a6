import { AreaChart, BarChart, LineChart } from "@mantine/charts";
import "@mantine/charts/styles.css";
import { SERIES } from "../../app/theme";
import type { ChartProps } from "./index";

/** Hidden from readers and the keyboard: the table has the same. */
export default function Drawn({ kind, points, x, series, format, stacked = false, height = 240, onChoose }: ChartProps) {
  const common = {
    h: height,
    data: [...points],
    dataKey: x.key,
    series: series.map(({ key, label }, index) => ({ name: key, label, color: SERIES[index % SERIES.length] ?? SERIES[0] })),
    withLegend: series.length > 1,
    // As wide as its longest figure, which may be a very small sum.
    yAxisProps: { width: "auto" as const },
    ...(format ? { valueFormatter: format } : {}),
  };
  const chosen = onChoose && {
    barProps: ({ name }: { name: string }) => ({
      cursor: "pointer",
      onClick: () => { onChoose(series.findIndex(({ key }) => key === name)); },
    }),
  };
  return (
    <div aria-hidden="true">
      {kind === "line" && <LineChart {...common} lineChartProps={{ accessibilityLayer: false }} curveType="monotone" />}
      {kind === "area" && (
        <AreaChart {...common} areaChartProps={{ accessibilityLayer: false }} type={stacked ? "stacked" : "default"} curveType="monotone" />
      )}
      {kind === "bar" && (
        <BarChart {...common} barChartProps={{ accessibilityLayer: false }} type={stacked ? "stacked" : "default"} {...chosen} />
      )}
    </div>
  );
}
