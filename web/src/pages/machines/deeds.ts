/** What one may do with a machine as it stands, and how it is done. The API decides; this spares dead ends. */
import { useTranslation } from "react-i18next";
import { useState } from "react";
import { api, refresh, type Schema } from "../../api/atoll";
import { useMay, useSession } from "../../app/session";
import { toast } from "../../parts/toast";

export type Machine = Schema<"WorkspaceAnswer">;

export interface Rights {
  open: boolean;
  wake: boolean;
  hibernate: boolean;
  stop: boolean;
  resize: boolean;
  extend: boolean;
  share: boolean;
  terminate: boolean;
}

/** What is told of machines, asked for anew. */
export function refreshMachines(): Promise<void> {
  return refresh("/api/v1/workspaces", "/api/v1/workspaces/{id}", "/api/v1/workspaces/{id}/log", "/api/v1/workspaces/{id}/hours");
}

export function useRights(): (machine: Machine) => Rights {
  const { login } = useSession();
  const may = useMay();
  return (machine) => {
    const mine = machine.owner === login;
    const standing = machine.terminated_at === null && machine.desired !== "terminated";
    const waits = machine.state === "queued";
    const runs = standing && mine && may("workspaces:run");
    const ends = standing && (may("workspaces:end") || (mine && may("workspaces:end:own")));
    return {
      open: machine.state === "running" && may("workspaces:open") && (mine || machine.shared_with.includes(login)),
      wake: runs && !waits && (machine.desired !== "running" || ["failed", "stopped"].includes(machine.state)),
      hibernate: runs && !waits && machine.desired === "running",
      stop: ends && !waits && machine.desired !== "stopped",
      resize: runs && !waits,
      extend: runs,
      share: runs,
      terminate: ends,
    };
  };
}

/** Deeds that need no more than a word. */
export function useDeeds() {
  const { t } = useTranslation("machines");
  const done = { onSuccess: refreshMachines };
  const wake = api.useMutation("post", "/api/v1/workspaces/{id}/wake", done);
  const hibernate = api.useMutation("post", "/api/v1/workspaces/{id}/hibernate", done);
  const stop = api.useMutation("post", "/api/v1/workspaces/{id}/stop", done);
  const extend = api.useMutation("post", "/api/v1/workspaces/{id}/extend", {
    onSuccess: async (machine) => {
      toast(t("deed.extended", { name: machine.name }));
      await refreshMachines();
    },
  });
  const all = [wake, hibernate, stop, extend];
  const at = (id: string) => ({ params: { path: { id } } });
  const first = (then: () => void) => {
    for (const one of all) one.reset();
    then();
  };
  return {
    busy: all.some((one) => one.isPending),
    error: all.find((one) => one.error !== null)?.error ?? null,
    wake: (id: string) => { first(() => { wake.mutate(at(id)); }); },
    hibernate: (id: string) => { first(() => { hibernate.mutate(at(id)); }); },
    stop: (id: string) => { first(() => { stop.mutate(at(id)); }); },
    extend: (id: string) => { first(() => { extend.mutate({ ...at(id), body: {} }); }); },
  };
}

/** Into the machine, in a tab of its own. The tab is opened by the click itself, else browsers block it. */
export function useEntrance() {
  const [blocked, setBlocked] = useState<string | null>(null);
  const ticket = api.useMutation("post", "/api/v1/workspaces/{id}/ticket");
  const enter = async (id: string) => {
    setBlocked(null);
    const tab = window.open("about:blank", "_blank");
    // What runs in the machine gets no hold of this page.
    if (tab !== null) tab.opener = null;
    try {
      const { url } = await ticket.mutateAsync({ params: { path: { id } } });
      if (tab === null) setBlocked(url);
      else tab.location.replace(url);
    } catch {
      // The mutation keeps the error, which the page shows.
      tab?.close();
    }
  };
  return { enter: (id: string) => void enter(id), blocked, busy: ticket.isPending, error: ticket.error };
}
