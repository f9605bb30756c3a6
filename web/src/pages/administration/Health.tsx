import { Button, Group, List, Skeleton, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconAlertTriangle, IconCheck } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { Columns } from "../../parts/Columns";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { useCodeWords } from "../../parts/codes";

type Duty = Schema<"DutyAnswer">;

/** Parts as tried at this moment, hosts of machines, housekeeping, versions. */
export function Health() {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const asked = api.useQuery("get", "/api/v1/health", {}, { refetchOnWindowFocus: false });
  const health = asked.data;
  if (health === undefined) {
    return asked.isPending ? <Skeleton h={320} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />;
  }
  const seconds = (value: number) => format.number(value, { style: "unit", unit: "second", maximumFractionDigits: 3 });
  return (
    <Stack>
      <Group>
        <Text size="sm" c="dimmed">{t("health.looked", { when: format.dateTime(health.looked_at) })}</Text>
        <Button size="xs" variant="default" loading={asked.isFetching} onClick={() => void asked.refetch()}>{t("health.again")}</Button>
      </Group>
      <Problem error={asked.error} />
      <Columns>
        <Section title={t("health.parts")}>
          <List spacing="xs" size="sm" center listStyleType="none">
            {health.parts.map((part) => (
              <Line key={part.name} good={part.good} todo={part.problem}>{`${t(`health.part.${part.name as "records"}`)} · ${seconds(part.took_seconds)}`}</Line>
            ))}
          </List>
        </Section>
        {health.backends.map(({ name, findings }) => (
          <Section key={name} title={t("health.backend", { name })}>
            <List spacing="xs" size="sm" center listStyleType="none">
              {findings.map((one) => (
                <Line key={one.what} good={one.good} todo={one.good ? "" : one.todo}>{t("health.found", { what: one.what, detail: one.detail })}</Line>
              ))}
            </List>
          </Section>
        ))}
        {health.backends.length === 0 && <Section title={t("health.noBackend")}><Text size="sm">{t("health.noBackendTodo")}</Text></Section>}
        <Section title={t("health.versions")}>
          <List size="sm" listStyleType="none">
            {Object.entries(health.versions).map(([name, version]) => <List.Item key={name}>{`${name} ${version}`}</List.Item>)}
          </List>
        </Section>
      </Columns>
      <Duties duties={health.duties} />
    </Stack>
  );
}

function Line({ good, todo, children }: { good: boolean; todo: string; children: string }) {
  const { t } = useTranslation("administration");
  const Icon = good ? IconCheck : IconAlertTriangle;
  return (
    <List.Item icon={<ThemeIcon size={20} radius="xl" variant="light" color={good ? "green" : "red"}><Icon size={14} role="img" aria-label={t(good ? "health.good" : "health.bad")} /></ThemeIcon>}>
      {children}
      {todo !== "" && <Text size="xs" c="red">{todo}</Text>}
    </List.Item>
  );
}

function Duties({ duties }: { duties: Duty[] }) {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const words = useCodeWords();
  const columns = useMemo<Column<Duty>[]>(
    () => [
      { key: "name", title: t("health.duty"), value: ({ name }) => words("duty", name), cell: ({ name }) => words("duty", name) },
      { key: "state", title: t("people.state"), value: ({ error }) => error, cell: (duty) => <StateBadge state={stateOf(duty)} reason={duty.error === "" ? "" : t("health.why", { code: duty.error, count: duty.failures })} /> },
      { key: "ran", title: t("health.ran"), value: ({ ran_at }) => ran_at, cell: ({ ran_at }) => <When at={ran_at} /> },
      { key: "took", title: t("health.took"), figure: true, value: ({ took_seconds }) => took_seconds, cell: ({ took_seconds }) => took_seconds !== null && <span className="tabular">{format.number(took_seconds, { style: "unit", unit: "second", maximumFractionDigits: 3 })}</span> },
      { key: "every", title: t("health.every"), figure: true, value: ({ every_seconds }) => every_seconds, cell: ({ every_seconds }) => <span className="tabular">{format.number(every_seconds, { style: "unit", unit: "second", maximumFractionDigits: 2 })}</span> },
    ],
    [t, format, words],
  );
  return (
    <Section title={t("health.duties")}>
      <Text size="sm" c="dimmed" mb="xs">{t("health.dutiesMean")}</Text>
      <DataTable title={t("health.duties")} listing={complete(duties, { isPending: false, error: null, refetch: () => undefined })} columns={columns} rowKey={({ name }) => name} empty={<Empty title={t("health.noDuty")}>{t("health.noDutyTeach")}</Empty>} />
    </Section>
  );
}

function stateOf({ error, ran_at, running_since }: Duty): "failed" | "waiting" | "running" | "succeeded" {
  if (error !== "") return "failed";
  if (ran_at === null) return running_since === null ? "waiting" : "running";
  return "succeeded";
}
