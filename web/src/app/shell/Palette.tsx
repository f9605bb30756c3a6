/** Ctrl/Cmd+K: to any page, any of one's things, and some deeds. */
import { Spotlight, type SpotlightActionData, type SpotlightActionGroupData } from "@mantine/spotlight";
import { IconAdjustments, IconArrowRight, IconDatabase, IconFolder, IconLogout, IconMoon, IconPackageImport, IconSearch, IconServer2, IconSun, IconUser } from "@tabler/icons-react";
import { useState } from "react";
import { useScheme } from "../scheme";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import { useMay, useSession } from "../session";
import { api } from "../../api/atoll";
import { ROUTES } from "../../routes";
import { matchRoutes } from "react-router";
import { DEEDS, PARTS, PLACES } from "./nav";
import { useSignOut } from "./useSignOut";

/** Whether there is a page at the path: things are offered only where they lead somewhere. */
function hasPage(path: string): boolean {
  return matchRoutes(ROUTES, path)?.at(-1)?.route.path !== "*";
}

export function Palette() {
  const { t } = useTranslation("shell");
  const [opened, setOpened] = useState(false);
  const go = useNavigate();
  const { scopes } = useSession();
  const { setColorScheme, colorScheme } = useScheme();
  const signOut = useSignOut();
  const things = useThings(opened);

  const pages: SpotlightActionData[] = PLACES.filter(
    (place) => place.scopes.length === 0 || place.scopes.some((scope) => scopes.includes(scope)),
  ).map(({ path, label, icon: Icon }) => ({
    id: path,
    label: t(label),
    leftSection: <Icon size={18} aria-hidden />,
    onClick: () => void go(path),
  }));
  const parts: SpotlightActionData[] = PARTS.filter(({ scope }) => scopes.includes(scope)).map(({ path, label }) => ({
    id: path,
    label: t(label),
    description: t("nav.administration"),
    leftSection: <IconAdjustments size={18} aria-hidden />,
    onClick: () => void go(path),
  }));
  const dark = colorScheme === "dark";
  const groups: SpotlightActionGroupData[] = [
    {
      group: t("palette.pages"),
      actions: [
        ...pages,
        ...parts,
        { id: "account", label: t("account.open"), leftSection: <IconUser size={18} aria-hidden />, onClick: () => void go("/account") },
      ],
    },
    { group: t("palette.things"), actions: things },
    {
      group: t("palette.deeds"),
      actions: [
        ...DEEDS.filter(({ scope }) => scopes.includes(scope)).map(({ path, label }) => ({ id: path, label: t(label), leftSection: <IconArrowRight size={18} aria-hidden />, onClick: () => void go(path) })),
        {
          id: "scheme",
          label: t(dark ? "palette.light" : "palette.dark"),
          leftSection: dark ? <IconSun size={18} aria-hidden /> : <IconMoon size={18} aria-hidden />,
          onClick: () => {
            setColorScheme(dark ? "light" : "dark");
          },
        },
        { id: "sign-out", label: t("account.signOut"), leftSection: <IconLogout size={18} aria-hidden />, onClick: () => { signOut.mutate(false); } },
      ],
    },
  ];
  return (
    <Spotlight
      actions={groups.filter((group) => group.actions.length > 0)}
      shortcut={["mod + K"]}
      nothingFound={t("palette.nothing")}
      attributes={{ content: { "aria-label": t("palette.open") } }}
      highlightQuery
      scrollable
      maxHeight={420}
      limit={12}
      onSpotlightOpen={() => { setOpened(true); }}
      searchProps={{ leftSection: <IconSearch size={18} aria-hidden />, placeholder: t("palette.placeholder"), "aria-label": t("palette.placeholder") }}
    />
  );
}

/** One's things, asked for when the palette opens. */
function useThings(enabled: boolean): SpotlightActionData[] {
  const { t } = useTranslation("shell");
  const go = useNavigate();
  const may = useMay();
  const session = useSession();
  const machines = api.useQuery("get", "/api/v1/workspaces", {}, { enabled: enabled && may("workspaces:read:own") });
  const datasets = api.useQuery("get", "/api/v1/datasets", {}, { enabled: enabled && may("datasets:read") });
  const deliveries = api.useQuery("get", "/api/v1/deliveries", {}, { enabled: enabled && may("deliveries:read") });
  const people = api.useQuery("get", "/api/v1/people", {}, { enabled: enabled && may("people:read") });
  return [
    ...(machines.data?.items ?? []).map(({ id, name }) => ({
      id: `machine ${id}`,
      path: `/machines/${id}`,
      label: name,
      description: t("palette.machine"),
      leftSection: <IconServer2 size={18} aria-hidden />,
    })),
    ...(datasets.data?.items ?? []).map(({ name, title }) => ({
      id: `dataset ${name}`,
      path: `/data/${name}`,
      label: title,
      description: t("palette.dataset", { name }),
      leftSection: <IconDatabase size={18} aria-hidden />,
    })),
    ...(deliveries.data?.items ?? []).map(({ id, dataset, source }) => ({
      id: `delivery ${id}`,
      path: `/deliveries/${id}`,
      label: `${dataset} · ${source}`,
      description: t("palette.delivery", { id }),
      leftSection: <IconPackageImport size={18} aria-hidden />,
    })),
    ...(people.data?.items ?? []).map(({ id, login, display_name }) => ({
      id: `person ${id}`,
      path: `/administration/people/${id}`,
      label: display_name,
      description: t("palette.person", { login }),
      leftSection: <IconUser size={18} aria-hidden />,
    })),
    ...session.projects.map(({ name, title }) => ({
      id: `project ${name}`,
      path: `/projects/${name}`,
      label: title,
      description: t("palette.project", { name }),
      leftSection: <IconFolder size={18} aria-hidden />,
    })),
  ]
    .filter(({ path }) => hasPage(path))
    .map(({ path, ...action }) => ({ ...action, onClick: () => void go(path) }));
}
