/** A chart, loaded when there is one to draw, with the same figures as a table for whoever prefers it. */
import { Group, SegmentedControl, Stack, Table, Text } from "@mantine/core";
import { lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import { Lazy } from "../Lazy";

const Drawn = lazy(() => import("./Drawn"));

export interface Series {
  /** Key in each point. */
  key: string;
  label: string;
}

export interface ChartProps {
  kind: "line" | "bar" | "area";
  /** What it shows; read out, and the table's caption. */
  title: string;
  points: readonly Record<string, string | number | null>[];
  /** Key of the horizontal axis in each point, and its name. */
  x: Series;
  series: readonly Series[];
  /** How a value is written, in axis, tooltip and table. */
  format?: (value: number) => string;
  stacked?: boolean;
  height?: number;
  /** When a bar is chosen by mouse: which of the series. Offer the same by keyboard beside it. */
  onChoose?: (series: number) => void;
}

export function Chart(props: ChartProps) {
  const { t } = useTranslation("parts");
  const [shown, setShown] = useState("chart");
  const { height = 240 } = props;
  return (
    <Stack gap="xs" component="figure" m={0}>
      <Group justify="space-between">
        <Text component="figcaption" fw={500} size="sm">
          {props.title}
        </Text>
        <SegmentedControl
          size="xs"
          value={shown}
          onChange={setShown}
          data={[
            { value: "chart", label: t("chart.chart") },
            { value: "table", label: t("chart.table") },
          ]}
          aria-label={t("chart.shown", { title: props.title })}
        />
      </Group>
      {shown === "chart" ? (
        <Lazy height={height}>
          <Drawn {...props} height={height} />
        </Lazy>
      ) : (
        <Figures {...props} />
      )}
    </Stack>
  );
}

function Figures({ title, points, x, series, format = String }: ChartProps) {
  return (
    <Table.ScrollContainer minWidth={300} maxHeight={360}>
      <Table striped>
        <caption className="hush">{title}</caption>
        <Table.Thead>
          <Table.Tr>
            {[x, ...series].map((one) => (
              <Table.Th key={one.key} scope="col">
                {one.label}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {points.map((point) => (
            <Table.Tr key={String(point[x.key])}>
              <Table.Th scope="row" fw={400}>
                {point[x.key]}
              </Table.Th>
              {series.map(({ key }) => {
                const value = point[key];
                return (
                  <Table.Td key={key} className="tabular">
                    {typeof value === "number" ? format(value) : (value ?? "–")}
                  </Table.Td>
                );
              })}
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}
