/** Columns by the longest way from a beginning; rows in order of the neighbours before. Cycles end where they close. */
import type { GraphEdge, GraphNode } from "./index";

const WIDTH = 236;
const HEIGHT = 84;

export function layOut(nodes: readonly GraphNode[], edges: readonly GraphEdge[]): Map<string, { x: number; y: number }> {
  const before = new Map<string, string[]>();
  for (const { from, to } of edges) before.set(to, [...(before.get(to) ?? []), from]);

  const depth = new Map<string, number>();
  const depthOf = (id: string, path: ReadonlySet<string>): number => {
    const known = depth.get(id);
    if (known !== undefined) return known;
    if (path.has(id)) return 0;
    const inner = new Set(path).add(id);
    const found = Math.max(0, ...(before.get(id) ?? []).map((one) => depthOf(one, inner) + 1));
    depth.set(id, found);
    return found;
  };

  const columns = new Map<number, string[]>();
  for (const { id } of nodes) {
    const column = depthOf(id, new Set());
    columns.set(column, [...(columns.get(column) ?? []), id]);
  }
  const places = new Map<string, { x: number; y: number }>();
  for (const column of [...columns.keys()].sort((a, b) => a - b)) {
    const ids = columns.get(column) ?? [];
    const wish = (id: string) => {
      const rows = (before.get(id) ?? []).flatMap((one) => places.get(one)?.y ?? []);
      return rows.length === 0 ? 0 : rows.reduce((sum, y) => sum + y, 0) / rows.length;
    };
    [...ids].sort((a, b) => wish(a) - wish(b)).forEach((id, row) => places.set(id, { x: column * WIDTH, y: row * HEIGHT }));
  }
  return places;
}
