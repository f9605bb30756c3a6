/** What things cost: of a month, by whom or what, down to single records; budgets, months, machines forgotten. All in the address. */
import { Tabs } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { useMay } from "../../app/session";
import { Page } from "../../parts/Page";
import { Budgets } from "./Budgets";
import { Export } from "./Export";
import { Forgotten } from "./Forgotten";
import { Months } from "./Months";
import { Spent } from "./Spent";

const TABS = ["spent", "budgets", "months", "forgotten"] as const;

export function Component() {
  const { t } = useTranslation("costs");
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const tabs = TABS.filter((one) => (one === "months" ? may("costs:read") : one === "budgets" ? may("budgets:read:own") : true));
  const tab = tabs.find((one) => one === params.get("tab")) ?? "spent";
  return (
    <Page title={t("title")} about={may("costs:read") ? t("aboutAll") : t("aboutOwn")} actions={tab === "spent" && <Export />}>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(one) => {
          setParams((now) => { now.set("tab", one ?? tab); return now; }, { replace: true, preventScrollReset: true });
        }}
      >
        <Tabs.List mb="md">
          {tabs.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="spent"><Spent /></Tabs.Panel>
        <Tabs.Panel value="budgets"><Budgets /></Tabs.Panel>
        <Tabs.Panel value="months"><Months /></Tabs.Panel>
        <Tabs.Panel value="forgotten"><Forgotten /></Tabs.Panel>
      </Tabs>
    </Page>
  );
}
