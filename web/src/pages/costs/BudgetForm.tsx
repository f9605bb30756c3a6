/** What a person or a project may spend in a month, and what happens at which part of it. */
import { Button, Group, Select, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { Problem } from "../../parts/Problem";
import { toast } from "../../parts/toast";
import { partOf, percentOf } from "./percent";

type Standing = Schema<"BudgetStanding">;
const PERCENT = "\\d{1,4}([.,]\\d+)?";

export function BudgetForm({ standing, onDone }: { standing?: Standing; onDone: () => void }) {
  const { t } = useTranslation("costs");
  const [holder, setHolder] = useState<Schema<"BudgetHolder">>(standing?.holder ?? "project");
  const [name, setName] = useState(standing?.name ?? "");
  const [eur, setEur] = useState(standing?.rule.eur_per_month ?? "");
  const [warn, setWarn] = useState((standing?.rule.warn_at ?? ["0.5", "0.8"]).map(percentOf).join(" "));
  const [hibernate, setHibernate] = useState(percentOf(standing?.rule.hibernate_at ?? "1"));
  const [block, setBlock] = useState(percentOf(standing?.rule.block_at ?? "1"));
  const set = api.useMutation("put", "/api/v1/budgets/{holder}/{name}", {
    onSuccess: async () => {
      toast(t("budget.done", { name }));
      onDone();
      await refresh("/api/v1/budgets");
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        const warnAt = warn.split(/[\s;]+/).filter(Boolean).map(partOf);
        set.mutate({
          params: { path: { holder, name: name.trim() } },
          body: { eur_per_month: eur.trim().replace(",", "."), warn_at: warnAt, hibernate_at: partOf(hibernate), block_at: partOf(block) },
        });
      }}
    >
      <Stack>
        {standing === undefined && (
          <Group grow align="flex-start">
            <Select
              label={t("budget.holder")}
              allowDeselect={false}
              data={(["project", "user"] as const).map((value) => ({ value, label: t(`budget.${value}`) }))}
              value={holder}
              onChange={(value) => { if (value !== null) setHolder(value); }}
            />
            <TextInput label={holder === "user" ? t("budget.login") : t("budget.projectName")} required maxLength={64} value={name} onChange={(event) => { setName(event.currentTarget.value); }} />
          </Group>
        )}
        <TextInput label={t("budget.eur")} description={t("budget.eurHelp")} required inputMode="decimal" pattern="\d+([.,]\d{1,2})?" value={eur} onChange={(event) => { setEur(event.currentTarget.value); }} data-autofocus />
        <TextInput label={t("budget.warn")} description={t("budget.warnHelp")} pattern={`\\s*(${PERCENT}[\\s;]*)*`} value={warn} onChange={(event) => { setWarn(event.currentTarget.value); }} />
        <Group grow align="flex-start">
          <TextInput label={t("budget.hibernate")} description={t("budget.hibernateHelp")} required pattern={PERCENT} inputMode="decimal" value={hibernate} onChange={(event) => { setHibernate(event.currentTarget.value); }} />
          <TextInput label={t("budget.block")} description={t("budget.blockHelp")} required pattern={PERCENT} inputMode="decimal" value={block} onChange={(event) => { setBlock(event.currentTarget.value); }} />
        </Group>
        <Problem error={set.error} />
        <Button type="submit" loading={set.isPending}>{t("budget.save")}</Button>
      </Stack>
    </form>
  );
}
