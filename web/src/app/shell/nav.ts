/** Places in the navigation and the palette, in order. What one may not see is not shown; the API decides anyway. */
import {
  IconAdjustments,
  IconCoins,
  IconDatabase,
  IconDoorExit,
  IconFileCheck,
  IconHome,
  IconFolders,
  IconPackageImport,
  IconServer2,
  IconShieldCheck,
  IconSitemap,
  IconTerminal2,
  type Icon,
} from "@tabler/icons-react";
import type { ParseKeys } from "i18next";
import type { Scope } from "../../api/atoll";

export interface Place {
  path: string;
  /** Key in `shell.json`. */
  label: ParseKeys<"shell">;
  icon: Icon;
  /** One of these is enough; empty is for everybody. */
  scopes: readonly Scope[];
}

/** Pages to come add a line, in the order of the navigation. */
export const PLACES: readonly Place[] = [
  { path: "/", label: "nav.home", icon: IconHome, scopes: [] },
  { path: "/data", label: "nav.data", icon: IconDatabase, scopes: ["datasets:read"] },
  { path: "/sql", label: "nav.sql", icon: IconTerminal2, scopes: ["queries:run"] },
  { path: "/machines", label: "nav.machines", icon: IconServer2, scopes: ["workspaces:read:own"] },
  { path: "/deliveries", label: "nav.deliveries", icon: IconPackageImport, scopes: ["deliveries:read:own", "deliveries:read"] },
  { path: "/contracts", label: "nav.contracts", icon: IconFileCheck, scopes: ["contracts:read"] },
  { path: "/projects", label: "nav.projects", icon: IconFolders, scopes: ["projects:read:own"] },
  { path: "/airlock", label: "nav.airlock", icon: IconDoorExit, scopes: ["airlock:read:own"] },
  { path: "/costs", label: "nav.costs", icon: IconCoins, scopes: ["costs:read:own"] },
  { path: "/flows", label: "nav.flows", icon: IconSitemap, scopes: ["flows:read"] },
  { path: "/audit", label: "nav.audit", icon: IconShieldCheck, scopes: ["audit:read"] },
  { path: "/administration", label: "nav.administration", icon: IconAdjustments, scopes: ["people:read", "sources:read", "keys:read", "costs:read", "settings:read"] },
];

/** Parts of the administration, for the palette. */
export const PARTS: readonly { path: string; label: ParseKeys<"shell">; scope: Scope }[] = [
  { path: "/administration/people", label: "part.people", scope: "people:read" },
  { path: "/administration/sources", label: "part.sources", scope: "sources:read" },
  { path: "/administration/tokens", label: "part.tokens", scope: "tokens:write" },
  { path: "/administration/keyring", label: "part.keyring", scope: "keys:read" },
  { path: "/administration/products", label: "part.products", scope: "products:write" },
  { path: "/administration/prices", label: "part.prices", scope: "costs:read" },
  { path: "/administration/health", label: "part.health", scope: "settings:read" },
  { path: "/administration/settings", label: "part.settings", scope: "settings:read" },
];

/** What one does often, for the palette. */
export const DEEDS: readonly { path: string; label: ParseKeys<"shell">; scope: Scope }[] = [
  { path: "/machines/new", label: "deed.machine", scope: "workspaces:run" },
  { path: "/airlock/new", label: "deed.airlock", scope: "airlock:request" },
  { path: "/contracts/new", label: "deed.contract", scope: "contracts:write" },
  { path: "/sql?tab=saved", label: "deed.saved", scope: "queries:run" },
  { path: "/costs?tab=budgets", label: "deed.budgets", scope: "budgets:read:own" },
  { path: "/costs?tab=forgotten", label: "deed.forgotten", scope: "costs:read:own" },
  { path: "/audit?tab=chain", label: "deed.verify", scope: "audit:read" },
];
