/** Who is signed in. Below `RequireSession` there is always somebody. */
import { Center } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { createContext, use, useEffect } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { atoll, type Scope, type Session } from "../api/atoll";
import { ApiError } from "../api/client";
import { Problem } from "../parts/Problem";
import { queries, SESSION_KEY } from "./queries";
import { Waiting } from "./shell/Waiting";

const Here = createContext<Session | null>(null);

/** The session, or null when nobody is signed in. */
export function useSessionQuery() {
  return useQuery<Session | null, ApiError>({
    queryKey: SESSION_KEY,
    queryFn: async () => {
      try {
        return (await atoll.GET("/api/v1/session")).data ?? null;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: 60_000,
  });
}

/** Who is signed in. Only below `RequireSession`. */
export function useSession(): Session {
  const session = use(Here);
  if (session === null) throw new Error("useSession is for pages that need a sign-in.");
  return session;
}

/** Whether one may: `const may = useMay(); may("queries:run")`. The API decides; this only spares dead ends. */
export function useMay(): (...scopes: Scope[]) => boolean {
  const { scopes } = useSession();
  return (...wanted) => wanted.every((scope) => scopes.includes(scope));
}

/** Nothing of what somebody else was shown is kept. */
function become(session: Session | null): void {
  queries.setQueryData(SESSION_KEY, session);
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[1] !== SESSION_KEY[1] });
}

export function signedIn(session: Session): void {
  become(session);
}

export function signedOut(): void {
  become(null);
}

/** Leads whoever is not signed in to the sign-in page, and from there back to the deep link. */
export function RequireSession() {
  const asked = useSessionQuery();
  const { pathname, search, hash } = useLocation();
  const until = asked.data?.expires_at;

  useEffect(() => {
    if (until === undefined) return undefined;
    const ms = Math.min(new Date(until).getTime() - Date.now() + 1000, 2 ** 31 - 1);
    const timer = setTimeout(() => void queries.invalidateQueries({ queryKey: SESSION_KEY }), Math.max(ms, 1000));
    return () => {
      clearTimeout(timer);
    };
  }, [until]);

  if (asked.isPending) {
    return <Waiting />;
  }
  if (asked.data === undefined) {
    return (
      <Center h="100vh" p="lg">
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      </Center>
    );
  }
  if (asked.data === null) {
    const here = pathname + search + hash;
    const back = here === "/" ? "" : `?${new URLSearchParams({ return_to: here }).toString()}`;
    return <Navigate to={`/sign-in${back}`} replace />;
  }
  return (
    <Here value={asked.data}>
      <Outlet />
    </Here>
  );
}
