/**
 * What changed, as it happens: the API's stream of hints makes the answers shown be asked for anew. While the
 * stream is away, everything on the page is asked for every some seconds.
 */
import { useEffect, useState } from "react";
import { API_URL } from "../api/atoll";
import type { paths } from "../api/schema";
import { queries } from "./queries";

const POLL_MS = 15_000;
const GATHER_MS = 150;
/** A stream that comes back within this was never away: no word about it. */
const AWAY_MS = 4000;

/** Addresses (their beginnings) whose answers a change of a kind may alter. */
const TOUCHES: Record<string, readonly (keyof paths | `/api/v1/${string}`)[]> = {
  workspace: ["/api/v1/workspaces", "/api/v1/costs", "/api/v1/budgets"],
  operation: ["/api/v1/operations", "/api/v1/deliveries", "/api/v1/workspaces"],
  delivery: ["/api/v1/deliveries", "/api/v1/datasets"],
  query: ["/api/v1/queries", "/api/v1/costs"],
  saved_query: ["/api/v1/saved-queries"],
  grant: ["/api/v1/grants", "/api/v1/datasets", "/api/v1/projects"],
  grant_request: ["/api/v1/grant-requests"],
  project: ["/api/v1/projects", "/api/v1/session"],
  dataset: ["/api/v1/datasets", "/api/v1/catalog"],
  contract: ["/api/v1/contracts", "/api/v1/datasets"],
  opening: ["/api/v1/openings"],
  contract_proposal: ["/api/v1/contract-proposals"],
  airlock_request: ["/api/v1/airlock-requests"],
  budget: ["/api/v1/budgets", "/api/v1/costs"],
  closed_month: ["/api/v1/costs"],
  person: ["/api/v1/people", "/api/v1/session"],
  source: ["/api/v1/sources"],
  source_key: ["/api/v1/sources"],
  key_change: ["/api/v1/key-changes", "/api/v1/keys"],
};

function touched(beginnings: ReadonlySet<string>): void {
  void queries.invalidateQueries({
    predicate: ({ queryKey }) => {
      const address = queryKey[1];
      return typeof address === "string" && [...beginnings].some((one) => address.startsWith(one));
    },
  });
}

function listen(tellAway: (away: boolean) => void): () => void {
  const waiting = new Set<string>();
  let gathering: ReturnType<typeof setTimeout> | undefined;
  let open = false;
  let missing: ReturnType<typeof setTimeout> | undefined;

  const tell = (addresses: readonly string[]) => {
    for (const address of addresses) waiting.add(address);
    gathering ??= setTimeout(() => {
      gathering = undefined;
      touched(waiting);
      waiting.clear();
    }, GATHER_MS);
  };

  const stream = new EventSource(`${API_URL}/api/v1/events`, { withCredentials: true });
  stream.addEventListener("open", () => {
    open = true;
    clearTimeout(missing);
    missing = undefined;
    tellAway(false);
  });
  stream.addEventListener("error", () => {
    open = false;
    missing ??= setTimeout(() => { tellAway(true); }, AWAY_MS);
  });
  stream.addEventListener("resync", () => {
    tell(["/api/v1/"]);
  });
  stream.addEventListener("change", (event: MessageEvent<string>) => {
    const { kind } = JSON.parse(event.data) as { kind: string };
    tell(TOUCHES[kind] ?? [`/api/v1/${kind.replaceAll("_", "-")}`]);
  });
  const poll = setInterval(() => {
    if (!open && document.visibilityState === "visible") void queries.invalidateQueries({ type: "active" });
  }, POLL_MS);

  return () => {
    stream.close();
    clearInterval(poll);
    clearTimeout(gathering);
    clearTimeout(missing);
  };
}

/** Keeps what is shown true; whether the platform has been away for some seconds. Once, in the shell. */
export function useEvents(): boolean {
  const [away, setAway] = useState(false);
  useEffect(() => listen(setAway), []);
  return away;
}
