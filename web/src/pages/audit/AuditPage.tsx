/** The audit chain: what was done or refused, whether the chain holds, and its signed checkpoints. All in the address. */
import { Button, Tabs } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { raw } from "../../api/atoll";
import { save } from "../../parts/DataTable/csv";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Chain } from "./Chain";
import { Entries } from "./Entries";

const TABS = ["entries", "chain"] as const;

export function Component() {
  const { t } = useTranslation("audit");
  const [params, setParams] = useSearchParams();
  const tab = TABS.find((one) => one === params.get("tab")) ?? "entries";
  const download = useMutation({
    mutationFn: async () => { save("atoll-audit.ndjson", await (await raw("/audit/export")).blob()); },
  });
  return (
    <Page
      title={t("title")}
      about={t("about")}
      actions={
        <Button variant="default" leftSection={<IconDownload size={16} aria-hidden />} loading={download.isPending} onClick={() => { download.mutate(); }}>
          {t("export")}
        </Button>
      }
    >
      <Problem error={download.error} />
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(one) => {
          setParams((now) => { now.set("tab", one ?? tab); return now; }, { replace: true, preventScrollReset: true });
        }}
      >
        <Tabs.List mb="md">
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {t(`tab.${one}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="entries"><Entries /></Tabs.Panel>
        <Tabs.Panel value="chain"><Chain /></Tabs.Panel>
      </Tabs>
    </Page>
  );
}
