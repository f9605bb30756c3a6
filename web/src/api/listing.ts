/** A listing of the API, page after page by its cursor. */
import { useInfiniteQuery, type InfiniteData } from "@tanstack/react-query";
import { useMemo } from "react";
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
  error: ApiError | null;
  retry: () => void;
}

interface Page<Row> {
  items: Row[];
  cursor?: string | null;
}

interface Options {
  /** Rows asked for at once. */
  limit?: number;
  enabled?: boolean;
}

const NO_ROWS: readonly never[] = [];

type Rest<P extends ListingPath> = Partial<Params<P>> extends Params<P> ? [params?: Params<P>, options?: Options] : [params: Params<P>, options?: Options];

/** `useListing("/api/v1/deliveries", { query: { state: "failed" } })`; what the address must have is asked for by type. */
export function useListing<P extends ListingPath>(path: P, ...[params, options]: Rest<P>): Listing<Item<P>> {
  const { limit = 50, enabled = true } = options ?? {};
  const asked = useInfiniteQuery<Page<Item<P>>, ApiError, InfiniteData<Page<Item<P>>>, readonly unknown[], string | null>({
    queryKey: ["listing", path, params ?? {}, limit],
    queryFn: async ({ pageParam, signal }) => {
      const given: { query?: object; path?: object } = params ?? {};
      const query = { ...given.query, limit, ...(pageParam === null ? {} : { cursor: pageParam }) };
      const get = atoll.GET as (path: string, init: object) => Promise<{ data?: Page<Item<P>> }>;
      const { data } = await get(path, { params: { ...given, query }, signal });
      return data ?? { items: [] };
    },
    initialPageParam: null,
    getNextPageParam: (page) => page.cursor ?? null,
    enabled,
  });
  const rows = useMemo(() => asked.data?.pages.flatMap((page) => page.items) ?? NO_ROWS, [asked.data]);
  return {
    rows,
    more: asked.hasNextPage,
    showMore: () => void asked.fetchNextPage(),
    loading: asked.isPending && enabled,
    loadingMore: asked.isFetchingNextPage,
    error: asked.error,
    retry: () => void asked.refetch(),
  };
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
