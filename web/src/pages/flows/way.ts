/** What leads to a node and what it leads to, out of a graph. */
import type { Schema } from "../../api/atoll";

interface Whole {
  nodes: readonly Schema<"FlowNode">[];
  edges: readonly Schema<"FlowEdge">[];
}

function reached(start: string, next: ReadonlyMap<string, readonly string[]>): Set<string> {
  const found = new Set([start]);
  const open = [start];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    for (const other of next.get(one) ?? []) {
      if (!found.has(other)) {
        found.add(other);
        open.push(other);
      }
    }
  }
  return found;
}

function grouped(pairs: readonly (readonly [string, string])[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [key, value] of pairs) found.set(key, [...(found.get(key) ?? []), value]);
  return found;
}

export function wayOf(id: string, { nodes, edges }: Whole): Whole {
  const down = reached(id, grouped(edges.map(({ from, to }) => [from, to] as const)));
  const up = reached(id, grouped(edges.map(({ from, to }) => [to, from] as const)));
  const both = (one: string) => up.has(one) || down.has(one);
  return {
    nodes: nodes.filter((node) => both(node.id)),
    // What goes around the node is no way through it.
    edges: edges.filter(({ from, to }) => (up.has(from) && up.has(to)) || (down.has(from) && down.has(to))),
  };
}
