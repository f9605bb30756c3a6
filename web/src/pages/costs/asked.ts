/** What of the costs is shown, as the address says it. */
import { useSearchParams } from "react-router";
import type { paths } from "../../api/schema";

export const KEYS = ["user", "project", "product", "dataset", "metric", "workspace"] as const;
export type Key = (typeof KEYS)[number];
type Query = NonNullable<paths["/api/v1/costs"]["get"]["parameters"]["query"]>;
export type Filter = Pick<Query, Key>;

const MONTH = /^\d{4}-(0[1-9]|1[0-2])$/;
const MONTHS = 24;

/** Months are of UTC, as the ledger's. */
export function thisMonth(): string {
  return new Date().toISOString().slice(0, 7);
}

export function lastMonths(): string[] {
  const now = new Date();
  return Array.from({ length: MONTHS }, (_, ago) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - ago, 1)).toISOString().slice(0, 7));
}

/** First and last day of a month. */
export function daysOf(month: string): { from: string; to: string } {
  const [year, number] = [Number(month.slice(0, 4)), Number(month.slice(5))];
  return { from: `${month}-01`, to: new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10) };
}

export interface Asked {
  month: string;
  by: Key;
  filter: Filter;
  /** Change some of it; null takes a part away. */
  ask: (change: Partial<Record<Key | "month" | "by", string | null>>) => void;
}

export function useAsked(): Asked {
  const [params, setParams] = useSearchParams();
  const month = params.get("month") ?? "";
  const filter = Object.fromEntries(KEYS.flatMap((key) => (params.get(key) ? [[key, params.get(key)]] : []))) as Filter;
  return {
    month: MONTH.test(month) ? month : thisMonth(),
    by: KEYS.find((key) => key === params.get("by")) ?? "project",
    filter,
    ask: (change) => {
      setParams((now) => {
        for (const [name, value] of Object.entries(change)) {
          if (value === null) now.delete(name);
          else now.set(name, value);
        }
        return now;
      }, { preventScrollReset: true });
    },
  };
}
