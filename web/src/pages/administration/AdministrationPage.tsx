/** What the platform is made of: people, sources, tokens, products, prices, health, settings. The part shown is in the address. */
import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useNavigate, useParams } from "react-router";
import type { Scope } from "../../api/atoll";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";
import { Health } from "./Health";
import { KeyRing } from "./KeyRing";
import { People } from "./People";
import { Prices } from "./Prices";
import { Products } from "./Products";
import { Settings } from "./Settings";
import { Sources } from "./Sources";
import { Tokens } from "./Tokens";

const SECTIONS = [
  { name: "people", scope: "people:read", Shown: People },
  { name: "sources", scope: "sources:read", Shown: Sources },
  { name: "tokens", scope: "tokens:write", Shown: Tokens },
  { name: "keyring", scope: "keys:read", Shown: KeyRing },
  { name: "products", scope: "products:read", Shown: Products },
  { name: "prices", scope: "costs:read", Shown: Prices },
  { name: "health", scope: "settings:read", Shown: Health },
  { name: "settings", scope: "settings:read", Shown: Settings },
] as const satisfies readonly { name: string; scope: Scope; Shown: () => React.ReactNode }[];

export function Component() {
  const { t } = useTranslation("administration");
  const may = useMay();
  const go = useNavigate();
  const { section } = useParams();
  const sections = SECTIONS.filter(({ scope }) => may(scope));
  const shown = section === undefined ? sections[0] : sections.find(({ name }) => name === section);
  return (
    <Page title={t("title")} about={t("about")}>
      {sections.length > 0 && (
        <Tabs value={shown?.name ?? null} onChange={(name) => { if (name !== null) void go(`/administration/${name}`); }} keepMounted={false}>
          <Tabs.List mb="md" aria-label={t("title")}>
            {sections.map(({ name }) => (
              <Tabs.Tab key={name} value={name}>{t(`section.${name}`)}</Tabs.Tab>
            ))}
          </Tabs.List>
          {sections.map(({ name, Shown }) => (
            <Tabs.Panel key={name} value={name}><Shown /></Tabs.Panel>
          ))}
        </Tabs>
      )}
      {shown === undefined && <Empty title={t("closed")}>{t("closedTeach")}</Empty>}
    </Page>
  );
}
