/** The editor: under which project, what it would cost, run. */
import { Alert, Button, Group, Select, Stack, Text } from "@mantine/core";
import { IconCoin, IconPlayerPlay } from "@tabler/icons-react";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { SqlEditor } from "../../parts/SqlEditor";
import { useAsk } from "./useAsk";

interface Props {
  project: string;
  onProject: (name: string) => void;
  text: string;
  onText: (text: string) => void;
  onAsked: (id: string) => void;
}

export function Statement({ project, onProject, text, onText, onAsked }: Props) {
  const { t } = useTranslation("sql");
  const { projects } = useSession();
  const relations = api.useQuery("get", "/api/v1/projects/{name}/relations", { params: { path: { name: project } } });
  const tables = useMemo(
    () => Object.fromEntries((relations.data?.items ?? []).map(({ dataset, table, columns }) => [`${dataset}.${table}`, columns.map(({ name }) => name)])),
    [relations.data],
  );
  const ask = useAsk(onAsked);
  const estimate = api.useMutation("post", "/api/v1/queries/estimate");
  const body = { project, sql: text, fresh: false };
  const empty = text.trim() === "";
  const run = () => {
    if (!empty && !ask.isPending) ask.mutate({ body });
  };
  // An estimate is of the text it was asked for.
  const asked = estimate.variables?.body;
  const fits = asked?.sql === text && asked.project === project;
  return (
    <Section
      title={t("statement.title")}
      aside={
        projects.length > 1 && (
          <Select
            aria-label={t("statement.project")}
            size="xs"
            allowDeselect={false}
            data={projects.map(({ name, title }) => ({ value: name, label: title }))}
            value={project}
            onChange={(name) => { if (name !== null) onProject(name); }}
          />
        )
      }
    >
      <Stack gap="sm">
        <SqlEditor label={t("statement.label")} value={text} onChange={onText} onRun={run} tables={tables} />
        <Group gap="xs">
          <Button leftSection={<IconPlayerPlay size={16} aria-hidden />} onClick={run} loading={ask.isPending} disabled={empty}>
            {t("statement.run")}
          </Button>
          <Button variant="default" leftSection={<IconCoin size={16} aria-hidden />} onClick={() => { estimate.mutate({ body: { project, sql: text } }); }} loading={estimate.isPending} disabled={empty}>
            {t("statement.estimate")}
          </Button>
          <Text size="sm" c="dimmed">
            {t("statement.keys")}
          </Text>
        </Group>
        <div role="status">{fits && estimate.data !== undefined && <Estimate {...estimate.data} />}</div>
        {fits && <Problem error={estimate.error} />}
        <Problem error={ask.error} />
        <Problem error={relations.error} onRetry={() => void relations.refetch()} />
      </Stack>
    </Section>
  );
}

function Estimate({ relations, rows, scanned_bytes, price, currency, allowed }: Schema<"EstimateAnswer">) {
  const { t } = useTranslation("sql");
  const format = useFormat();
  return (
    <Alert color={allowed ? "blue" : "yellow"} variant="light" title={t("estimate.title", { price: format.money(price, currency), bytes: format.bytes(scanned_bytes) })}>
      <Stack gap={4}>
        <Text size="sm">{relations.length === 0 ? t("estimate.noTable") : t("estimate.tables", { names: format.list(relations) })}</Text>
        {rows !== null && <Text size="sm">{t("estimate.rows", { count: rows, shown: format.number(rows) })}</Text>}
        <Text size="sm">{t(allowed ? "estimate.time" : "estimate.tooMuch")}</Text>
      </Stack>
    </Alert>
  );
}
