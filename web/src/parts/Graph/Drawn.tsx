import { useComputedColorScheme } from "@mantine/core";
import { Background, Controls, Position, ReactFlow, type Edge, type Node } from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import classes from "./Drawn.module.css";
import type { GraphNode, GraphProps } from "./index";
import { layOut } from "./layout";

export default function Drawn({ nodes, edges, onChoose, height = 420 }: GraphProps) {
  const { t } = useTranslation("parts");
  const scheme = useComputedColorScheme("light");
  const drawn = useMemo(() => {
    const places = layOut(nodes, edges);
    const boxes: Node<{ label: React.ReactNode; node: GraphNode }>[] = nodes.map((node) => ({
      id: node.id,
      position: places.get(node.id) ?? { x: 0, y: 0 },
      sourcePosition: Position.Right,
      targetPosition: Position.Left,
      className: classes.node ?? "",
      ariaLabel: [node.label, node.detail].filter(Boolean).join(", "),
      data: {
        node,
        label: (
          <>
            <span className={classes.label}>{node.label}</span>
            {node.detail !== undefined && <span className={classes.detail}>{node.detail}</span>}
          </>
        ),
      },
    }));
    const lines: Edge[] = edges.map(({ from, to, label }) => ({
      id: `${from}>${to}`,
      source: from,
      target: to,
      focusable: false,
      ...(label === undefined ? {} : { label }),
    }));
    return { boxes, lines };
  }, [nodes, edges]);
  return (
    <div style={{ height }} className={classes.frame}>
      <ReactFlow
        nodes={drawn.boxes}
        edges={drawn.lines}
        colorMode={scheme}
        fitView
        // A long way from source to result is seen whole at first.
        minZoom={0.1}
        fitViewOptions={{ padding: 0.04 }}
        nodesDraggable={false}
        nodesConnectable={false}
        onNodeClick={(_, box) => onChoose?.(box.data.node)}
        onKeyDown={(event) => {
          const id = event.key === "Enter" ? (event.target as HTMLElement).dataset.id : undefined;
          const node = nodes.find((one) => one.id === id);
          if (node !== undefined) onChoose?.(node);
        }}
        ariaLabelConfig={{
          "node.a11yDescription.default": t("graph.node"),
          "node.a11yDescription.keyboardDisabled": t("graph.node"),
          "edge.a11yDescription.default": t("graph.edge"),
          "controls.ariaLabel": t("graph.controls"),
          "controls.zoomIn.ariaLabel": t("graph.zoomIn"),
          "controls.zoomOut.ariaLabel": t("graph.zoomOut"),
          "controls.fitView.ariaLabel": t("graph.fit"),
        }}
        proOptions={{ hideAttribution: true }}
      >
        <Background />
        <Controls showInteractive={false} />
      </ReactFlow>
    </div>
  );
}
