/** The one cache of what the API told. A 401 anywhere signs out, so that the session guard leads to sign-in. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "../api/client";

export const SESSION_KEY = ["get", "/api/v1/session"] as const;

function expired(error: unknown): void {
  if (error instanceof ApiError && error.status === 401 && queries.getQueryData(SESSION_KEY)) {
    queries.setQueryData(SESSION_KEY, null);
  }
}

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError: expired }),
  mutationCache: new MutationCache({ onError: expired }),
  defaultOptions: {
    queries: {
      staleTime: 15_000,
      // What the API refuses it refuses again; a network that is away may come back.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiError && error.status < 500),
      refetchOnWindowFocus: true,
    },
  },
});
