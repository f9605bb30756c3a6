/** The platform this page works on: `atoll` for single calls, `api` for hooks, `useListing` (listing.ts) for lists. */
import i18next from "i18next";
import createHooks from "openapi-react-query";
import { nobodyHere } from "../app/activity";
import { queries, SESSION_KEY } from "../app/queries";
import { connect, errorOf, ownHeaders, type Connection } from "./client";
import type { components, paths } from "./schema";

/** A shape of the API by its name in openapi.json: `Schema<"WorkspaceAnswer">`. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];
export type Scope = Schema<"Scope">;
export type Session = Schema<"SessionAnswer">;

/** Where the API answers: told by the page, so that one build serves anywhere. */
export const API_URL = document.querySelector<HTMLMetaElement>('meta[name="atoll-api"]')?.content.replace(/\/$/, "") ?? "";

const connection: Connection = {
  baseUrl: API_URL || location.origin,
  csrf: () => queries.getQueryData<Session | null>(SESSION_KEY)?.csrf_token ?? null,
  language: () => i18next.language,
  background: nobodyHere,
};

export const atoll = connect(connection);
export const api = createHooks<paths>(atoll);

/** For what the typed client cannot do (bodies that stream, downloads): the path below `/api/v1`. Rejects as `atoll` does. */
export async function raw(path: string, init: RequestInit = {}): Promise<Response> {
  const method = init.method ?? "GET";
  const response = await fetch(`${connection.baseUrl}/api/v1${path}`, {
    ...init,
    credentials: "include",
    headers: { ...ownHeaders(method, connection), ...(init.headers as Record<string, string> | undefined) },
  });
  if (!response.ok) throw await errorOf(response);
  return response;
}

/** Ask anew for everything that was asked of these addresses, whatever their parameters. */
export function refresh(...addresses: (keyof paths)[]): Promise<void> {
  return queries.invalidateQueries({ predicate: ({ queryKey }) => addresses.some((one) => queryKey[1] === one) });
}
