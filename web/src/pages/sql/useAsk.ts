import { api, atoll, refresh } from "../../api/atoll";
import { queries } from "../../app/queries";

/** Have the platform run a statement; what is known of it is shown at once. */
export function useAsk(onAsked: (id: string) => void) {
  return api.useMutation("post", "/api/v1/queries/async", {
    onSuccess: (query) => {
      queries.setQueryData(api.queryOptions("get", "/api/v1/queries/{id}", { params: { path: { id: query.id } } }).queryKey, query);
      onAsked(query.id);
      return refresh("/api/v1/queries");
    },
  });
}

/** Some rows of a kept result. They do not change, so events do not make them be asked for anew. */
export function rowsOf(id: string, offset: number, limit: number) {
  return {
    queryKey: ["rows", id, offset, limit],
    queryFn: async ({ signal }: { signal: AbortSignal }) => {
      const { data } = await atoll.GET("/api/v1/queries/{id}/rows", { params: { path: { id }, query: { offset, limit } }, signal });
      return data ?? null;
    },
    staleTime: Infinity,
    gcTime: 10_000,
    refetchOnWindowFocus: false,
  };
}
