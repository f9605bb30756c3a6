import { Anchor, Group, Progress, Skeleton, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay } from "../../app/session";
import { TONES, type Tone } from "../../app/theme";
import { Empty } from "../../parts/Empty";
import { Sum } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

type Standing = Schema<"BudgetStanding">;

const TONE: Record<Standing["stage"], Tone> = { within: "good", warned: "wait", hibernated: "bad", blocked: "bad" };

export function Spend() {
  const { t } = useTranslation("home");
  const may = useMay();
  const budgets = api.useQuery("get", "/api/v1/budgets");
  const costs = api.useQuery("get", "/api/v1/costs", { params: { query: { by: "project" } } }, { enabled: may("costs:read:own") });
  return (
    <Section title={t("spend.title")} aside={costs.data && <Anchor component={Link} to="/costs" fw={600}><Sum amount={costs.data.total_eur} /></Anchor>}>
      {budgets.isPending ? (
        <Skeleton h={60} />
      ) : budgets.error ? (
        <Problem error={budgets.error} onRetry={() => void budgets.refetch()} />
      ) : budgets.data.items.length === 0 ? (
        <Empty title={t("spend.none")}>{t("spend.teach")}</Empty>
      ) : (
        <Stack gap="md">
          {budgets.data.items.map((one) => (
            <Budget key={`${one.holder}/${one.name}`} standing={one} />
          ))}
        </Stack>
      )}
    </Section>
  );
}

function Budget({ standing }: { standing: Standing }) {
  const { t } = useTranslation("home");
  const format = useFormat();
  const { holder, name, spent_eur, rule, part, stage } = standing;
  const label = t(`spend.${holder}`, { name });
  return (
    <div>
      <Group justify="space-between" gap="xs">
        <Text size="sm" fw={500}>
          {label}
        </Text>
        <Text size="sm" className="tabular">
          {t("spend.of", { spent: format.sum(spent_eur), budget: format.sum(rule.eur_per_month), part: format.percent(Number(part)) })}
        </Text>
      </Group>
      <Progress value={Math.min(Number(part) * 100, 100)} color={TONES[TONE[stage]]} aria-label={label} mt={4} />
      <Text size="xs" c="dimmed" mt={4}>
        {t(`spend.stage.${stage}`)}
      </Text>
    </div>
  );
}
