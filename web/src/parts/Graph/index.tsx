/** A graph of what came from what, loaded when there is one, with the same as a list. Nodes are reached by Tab. */
import { Group, List, SegmentedControl, Stack, Text } from "@mantine/core";
import { lazy, useState } from "react";
import { useTranslation } from "react-i18next";
import { Lazy } from "../Lazy";

const Drawn = lazy(() => import("./Drawn"));

export interface GraphNode {
  id: string;
  /** What kind of thing; decides its colour and its column of words. */
  kind: string;
  label: string;
  /** A word below the label. */
  detail?: string;
}

export interface GraphEdge {
  from: string;
  to: string;
  label?: string;
}

export interface GraphProps {
  title: string;
  nodes: readonly GraphNode[];
  edges: readonly GraphEdge[];
  /** When a node is chosen, by mouse, Enter, or from the list. */
  onChoose?: (node: GraphNode) => void;
  height?: number;
}

export function Graph(props: GraphProps) {
  const { t } = useTranslation("parts");
  const [shown, setShown] = useState("graph");
  const { height = 420 } = props;
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
            { value: "graph", label: t("graph.graph") },
            { value: "list", label: t("graph.list") },
          ]}
          aria-label={t("graph.shown", { title: props.title })}
        />
      </Group>
      {shown === "graph" ? (
        <Lazy height={height}>
          <Drawn {...props} height={height} />
        </Lazy>
      ) : (
        <Listed {...props} />
      )}
    </Stack>
  );
}

function Listed({ nodes, edges }: GraphProps) {
  const { t } = useTranslation("parts");
  const label = new Map(nodes.map((node) => [node.id, node.label]));
  return (
    <List size="sm" spacing={6}>
      {nodes.map((node) => {
        const from = edges.filter((edge) => edge.to === node.id).map((edge) => label.get(edge.from) ?? edge.from);
        return (
          <List.Item key={node.id}>
            <b>{node.label}</b> {node.detail}
            {from.length > 0 && (
              <Text size="sm" c="dimmed">
                {t("graph.from", { names: from.join(", ") })}
              </Text>
            )}
          </List.Item>
        );
      })}
    </List>
  );
}
