/** Budgets with what is spent of them this month, and who may sets them. */
import { Button, Modal, Progress, Stack, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { TONES, type Tone } from "../../app/theme";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { BudgetForm } from "./BudgetForm";
import { Amount, useWords } from "./words";

type Standing = Schema<"BudgetStanding">;
const TONE: Record<Standing["stage"], Tone> = { within: "good", warned: "wait", hibernated: "bad", blocked: "bad" };

export function Budgets() {
  const { t } = useTranslation("costs");
  const format = useFormat();
  const may = useMay();
  const words = useWords();
  const [changed, setChanged] = useState<Standing | "new" | null>(null);
  const asked = api.useQuery("get", "/api/v1/budgets");
  const maySet = may("budgets:write");
  const month = asked.data?.items[0]?.month;
  const columns = useMemo<Column<Standing>[]>(
    () => [
      { key: "name", title: t("budget.whose"), value: ({ name }) => name, cell: ({ holder, name }) => (
        <>
          <Text size="sm" fw={500}>{name}</Text>
          <Text size="xs" c="dimmed">{t(`budget.${holder}`)}</Text>
        </>
      ) },
      { key: "spent", title: t("budget.spent"), figure: true, value: ({ spent_eur }) => spent_eur, cell: ({ spent_eur }) => <Amount eur={spent_eur} /> },
      { key: "budget", title: t("budget.amount"), figure: true, value: ({ rule }) => rule.eur_per_month, cell: ({ rule }) => <Amount eur={rule.eur_per_month} /> },
      { key: "part", title: t("budget.part"), value: ({ part }) => part, cell: ({ name, part, stage }) => (
        <Stack gap={2} miw={110}>
          <Progress value={Math.min(Number(part) * 100, 100)} color={TONES[TONE[stage]]} aria-label={t("budget.partOf", { name })} />
          <Text size="xs" className="tabular">{format.percent(Number(part))}</Text>
        </Stack>
      ) },
      { key: "stage", title: t("budget.stage"), value: ({ stage }) => stage, cell: ({ stage }) => <StateBadge state={stage} /> },
      { key: "thresholds", title: t("budget.thresholds"), cell: ({ rule }) => (
        <Text size="xs" maw="18rem">
          {t("budget.rule", {
            warn: format.list(rule.warn_at.map((at) => format.percent(Number(at)))) || "–",
            hibernate: format.percent(Number(rule.hibernate_at)),
            block: format.percent(Number(rule.block_at)),
          })}
        </Text>
      ) },
      ...(maySet ? [{ key: "change", title: t("budget.changeColumn"), cell: (one: Standing) => (
        <Button size="compact-sm" variant="default" aria-label={t("budget.changeOf", { name: one.name })} onClick={() => { setChanged(one); }}>{t("budget.change")}</Button>
      ) }] : []),
    ],
    [t, format, maySet],
  );
  return (
    <Section
      title={month === undefined ? t("tab.budgets") : t("budget.title", { month: words.month(month) })}
      aside={maySet && <Button size="xs" onClick={() => { setChanged("new"); }}>{t("budget.set")}</Button>}
    >
      <DataTable
        title={t("tab.budgets")}
        listing={complete(asked.data?.items, asked)}
        columns={columns}
        rowKey={({ holder, name }) => `${holder}/${name}`}
        empty={<Empty title={t("budget.none")}>{maySet ? t("budget.teach") : t("budget.teachOthers")}</Empty>}
      />
      <Modal
        opened={changed !== null}
        onClose={() => { setChanged(null); }}
        title={changed === null || changed === "new" ? t("budget.set") : t("budget.changeOf", { name: changed.name })}
        closeButtonProps={{ "aria-label": t("close") }}
      >
        {changed !== null && <BudgetForm {...(changed === "new" ? {} : { standing: changed })} onDone={() => { setChanged(null); }} />}
      </Modal>
    </Section>
  );
}
