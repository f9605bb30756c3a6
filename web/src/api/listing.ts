/** A listing of the API, page after page by its cursor. */
import { hashKey, useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { atoll } from "./atoll";
import type { ApiError } from "./client";
import type { paths } from "./schema";

type Answer<P> = P extends { get: { responses: { 200: { content: { "application/json": infer Body } } } } } ? Body : never;
export type ListingPath = {
  [P in keyof paths]: Answer<paths[P]> extends { items: unknown[]; cursor?: string | null } ? P : never;
}[keyof paths];
export type Item<P extends ListingPath> = Answer<paths[P]> extends { items: (infer One)[] } ? One : never;
type Params<P extends ListingPath> = paths[P] extends { get: { parameters: infer All } } ? Pick<All, keyof All & ("query" | "path")> : never;

/** What `DataTable` shows. */
export interface Listing<Row> {
  rows: readonly Row[];
  /** Whether there are more on the server. */
  more: boolean;
  showMore: () => void;
  loading: boolean;
  loadingMore: boolean;
  /** Whether the rows shown are those of the order before, until the server has told the new one. */
  asking?: boolean;
  error: ApiError | null;
  retry: () => void;
  /** What the server orders and searches the whole set by; absent where all rows are here. */
  asked?: Asked<Row>;
}

/** A field that the API declares, with `-` before it the other way round; null: as the API lists. */
type Order = string | null;

export interface Asked<Row> {
  sort: Order;
  find: string;
  ask: (sort: Order, find: string) => void;
  /** Every row of the set as it is filtered, found and ordered now, at most so many. */
  everyRow: (most: number) => Promise<{ rows: Row[]; cut: boolean }>;
}

/** Rows asked for at once when all are wanted; the most that the API gives. */
const AT_ONCE = 1000;

interface Page<Row> {
  items: Row[];
  cursor?: string | null;
}

interface Options {
  /** Rows asked for at once. */
  limit?: number;
  enabled?: boolean;
  /** Keep order and search in the page's address, where the listing is what the page is about. */
  inAddress?: boolean;
}

const NO_ROWS: readonly never[] = [];

type Rest<P extends ListingPath> = Partial<Params<P>> extends Params<P> ? [params?: Params<P>, options?: Options] : [params: Params<P>, options?: Options];

/** `useListing("/api/v1/deliveries", { query: { state: "failed" } })`; what the address must have is asked for by type. */
export function useListing<P extends ListingPath>(path: P, ...[params, options]: Rest<P>): Listing<Item<P>> {
  const { limit = 50, enabled = true, inAddress = false } = options ?? {};
  const [sort, find, ask] = useOrder(inAddress);
  const given: { query?: object; path?: object } = params ?? {};
  const wanted = { ...given.query, ...(sort === null ? {} : { sort }), ...(find && { find }) };
  const page = async (cursor: string | null, most: number, signal?: AbortSignal): Promise<Page<Item<P>>> => {
    const query = { ...wanted, limit: most, ...(cursor === null ? {} : { cursor }) };
    const get = atoll.GET as (path: string, init: object) => Promise<{ data?: Page<Item<P>> }>;
    const { data } = await get(path, { params: { ...given, query }, ...(signal && { signal }) });
    return data ?? { items: [] };
  };
  const queryKey = ["listing", path, params ?? {}, limit, sort, find] as const;
  const asked = useInfiniteQuery<Page<Item<P>>, ApiError, InfiniteData<Page<Item<P>>>, readonly unknown[], string | null>({
    queryKey,
    queryFn: ({ pageParam, signal }) => page(pageParam, limit, signal),
    initialPageParam: null,
    getNextPageParam: (one) => one.cursor ?? null,
    // While the server puts the same rows in another order, those that are here stay in sight.
    placeholderData: (shown, before) => (hashKey(before?.queryKey.slice(0, 4) ?? []) === hashKey(queryKey.slice(0, 4)) ? shown : undefined),
    enabled,
  });
  const rows = useMemo(() => asked.data?.pages.flatMap((one) => one.items) ?? NO_ROWS, [asked.data]);
  return {
    rows,
    more: asked.hasNextPage,
    showMore: () => void asked.fetchNextPage(),
    loading: asked.isPending && enabled,
    loadingMore: asked.isFetchingNextPage,
    asking: asked.isPlaceholderData,
    error: asked.error,
    retry: () => void asked.refetch(),
    asked: {
      sort,
      find,
      ask,
      everyRow: async (most) => {
        const all: Item<P>[] = [];
        let cursor: string | null = null;
        do {
          const one: Page<Item<P>> = await page(cursor, AT_ONCE);
          all.push(...one.items);
          cursor = one.cursor ?? null;
        } while (cursor !== null && all.length < most);
        return { rows: all.slice(0, most), cut: cursor !== null || all.length > most };
      },
    },
  };
}

/** Order and search of one listing, in the page's address or beside it. */
function useOrder(inAddress: boolean): [Order, string, Asked<unknown>["ask"]] {
  const [params, setParams] = useSearchParams();
  const [own, setOwn] = useState<{ sort: Order; find: string }>({ sort: null, find: "" });
  if (!inAddress) return [own.sort, own.find, (sort, find) => { setOwn({ sort, find }); }];
  return [params.get("sort"), params.get("find") ?? "", (sort, find) => {
    setParams((now) => {
      for (const [name, value] of [["sort", sort], ["find", find]] as const) {
        if (value) now.set(name, value);
        else now.delete(name);
      }
      return now;
    }, { replace: true });
  }];
}

/** Rows that are all here already, as a listing. */
export function complete<Row>(
  rows: readonly Row[] | undefined,
  asked: { isPending: boolean; error: unknown; refetch: () => unknown },
): Listing<Row> {
  return {
    rows: rows ?? NO_ROWS,
    more: false,
    showMore: () => undefined,
    loading: asked.isPending,
    loadingMore: false,
    error: asked.error as ApiError | null,
    retry: () => void asked.refetch(),
  };
}
