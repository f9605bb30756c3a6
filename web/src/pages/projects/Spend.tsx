/** The project's budget, what is spent of it this month and by whom, and how full its share is. */
import { Button, Group, Modal, NumberInput, Progress, Skeleton, Stack, Table, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { TONES, type Tone } from "../../app/theme";
import { Columns } from "../../parts/Columns";
import { Empty } from "../../parts/Empty";
import { Sum } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";

type Standing = Schema<"BudgetStanding">;
const TONE: Record<Standing["stage"], Tone> = { within: "good", warned: "wait", hibernated: "bad", blocked: "bad" };

export function Spend({ name }: { name: string }) {
  const may = useMay();
  return (
    <Columns>
      {may("budgets:read:own") && <Budget name={name} />}
      {may("costs:read:own") && <Costs name={name} />}
      <Share name={name} />
    </Columns>
  );
}

function Budget({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const format = useFormat();
  const [setting, setSetting] = useState(false);
  const budgets = api.useQuery("get", "/api/v1/budgets");
  const one = budgets.data?.items.find(({ holder, name: of }) => holder === "project" && of === name);
  return (
    <Section title={t("budget.title")} aside={may("budgets:write") && <Button size="xs" variant="default" onClick={() => { setSetting(true); }}>{t("budget.set")}</Button>}>
      <Problem error={budgets.error} onRetry={() => void budgets.refetch()} />
      {budgets.isPending && <Skeleton h={60} />}
      {budgets.data !== undefined && one === undefined && <Empty title={t("budget.none")}>{t("budget.teach")}</Empty>}
      {one !== undefined && (
        <Stack gap="xs">
          <Text className="tabular">{t("budget.of", { spent: format.sum(one.spent_eur), budget: format.sum(one.rule.eur_per_month), part: format.percent(Number(one.part)) })}</Text>
          <Progress value={Math.min(Number(one.part) * 100, 100)} color={TONES[TONE[one.stage]]} aria-label={t("budget.title")} />
          <Text size="sm" c="dimmed">{t(`budget.stage.${one.stage}`)}</Text>
          <Text size="sm" c="dimmed">
            {t("budget.rule", { warn: format.list(one.rule.warn_at.map((part) => format.percent(Number(part)))), hibernate: format.percent(Number(one.rule.hibernate_at)), block: format.percent(Number(one.rule.block_at)) })}
          </Text>
        </Stack>
      )}
      <Modal opened={setting} onClose={() => { setSetting(false); }} title={t("budget.set")} closeButtonProps={{ "aria-label": t("close") }}>
        <SetBudget name={name} rule={one?.rule} onDone={() => { setSetting(false); }} />
      </Modal>
    </Section>
  );
}

function SetBudget({ name, rule, onDone }: { name: string; rule: Standing["rule"] | undefined; onDone: () => void }) {
  const { t } = useTranslation("projects");
  const [eur, setEur] = useState<string | number>(rule === undefined ? "" : Number(rule.eur_per_month));
  const put = api.useMutation("put", "/api/v1/budgets/{holder}/{name}", {
    onSuccess: async () => {
      toast(t("budget.done"));
      onDone();
      await refresh("/api/v1/budgets");
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // At which parts something happens stays as it is.
        const { warn_at = ["0.5", "0.8"], hibernate_at = "1", block_at = "1" } = rule ?? {};
        put.mutate({ params: { path: { holder: "project", name } }, body: { eur_per_month: String(eur), warn_at, hibernate_at, block_at } });
      }}
    >
      <Stack>
        <NumberInput label={t("budget.month")} description={t("budget.monthHelp")} required min={0.01} decimalScale={2} hideControls value={eur} onChange={setEur} data-autofocus />
        <Problem error={put.error} />
        <Group justify="flex-end"><Button type="submit" disabled={Number(eur) <= 0} loading={put.isPending}>{t("budget.save")}</Button></Group>
      </Stack>
    </form>
  );
}

function Costs({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const costs = api.useQuery("get", "/api/v1/costs", { params: { query: { by: "user", project: name } } });
  // A line for each person and metric; each person's are summed.
  const sums = new Map<string, number>();
  for (const { key, amount_eur } of costs.data?.lines ?? []) sums.set(key, (sums.get(key) ?? 0) + Number(amount_eur));
  return (
    <Section
      title={t(may("costs:read") ? "costs.title" : "costs.own")}
      aside={<Button size="xs" variant="subtle" component={Link} to={`/costs?project=${name}`}>{t("costs.more")}</Button>}
    >
      <Problem error={costs.error} onRetry={() => void costs.refetch()} />
      {costs.isPending && <Skeleton h={60} />}
      {costs.data?.lines.length === 0 && <Empty title={t("costs.none")}>{t("costs.teach")}</Empty>}
      {costs.data !== undefined && costs.data.lines.length > 0 && (
        <Table>
          <caption className="hush">{t("costs.title")}</caption>
          <Table.Tbody>
            {[...sums].sort(([, one], [, other]) => other - one).map(([key, eur]) => (
              <Table.Tr key={key}>
                <Table.Th scope="row" fw={400}>{key === "platform" ? t("costs.platform") : key}</Table.Th>
                <Table.Td ta="right"><Sum amount={eur} /></Table.Td>
              </Table.Tr>
            ))}
            <Table.Tr>
              <Table.Th scope="row">{t("costs.sum")}</Table.Th>
              <Table.Td ta="right" fw={600}><Sum amount={costs.data.total_eur} /></Table.Td>
            </Table.Tr>
          </Table.Tbody>
        </Table>
      )}
    </Section>
  );
}

function Share({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const format = useFormat();
  const share = api.useQuery("get", "/api/v1/projects/{name}/share", { params: { path: { name } } });
  return (
    <Section title={t("share.title")}>
      <Problem error={share.error} onRetry={() => void share.refetch()} />
      {share.isPending && <Skeleton h={60} />}
      {share.data !== undefined && (
        <Stack gap="xs">
          <Text className="tabular">{t("share.of", { used: format.bytes(share.data.used_bytes), quota: format.bytes(share.data.quota_bytes) })}</Text>
          <Progress value={Math.min((100 * share.data.used_bytes) / share.data.quota_bytes, 100)} aria-label={t("share.title")} />
          <Text size="sm" c="dimmed">{t("share.about", { path: share.data.path })}</Text>
        </Stack>
      )}
    </Section>
  );
}
