/** A query and what came of it: how far it is, its rows, a chart of them, its cost, or why there is nothing. */
import { Alert, Button, Group, Menu, Progress, Stack, Tabs, Text } from "@mantine/core";
import { IconDownload, IconRefresh } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { api, raw, refresh, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { save } from "../../parts/DataTable/csv";
import { Drawing } from "./Drawing";
import { Rows } from "./Rows";
import { useAsk } from "./useAsk";

type Query = Schema<"QueryAnswer">;
const FORMATS = ["csv", "parquet", "arrow"] as const;
type FileFormat = (typeof FORMATS)[number];

export function Result({ query, onAsked }: { query: Query; onAsked: (id: string) => void }) {
  const { t } = useTranslation("sql");
  const again = useAsk(onAsked);
  const { state } = query;
  const over = state !== "queued" && state !== "running";
  return (
    <Section
      title={t("result.title")}
      aside={
        <Group gap="xs">
          <StateBadge state={state} />
          {over && (
            <Button
              size="xs"
              variant="default"
              leftSection={<IconRefresh size={14} aria-hidden />}
              loading={again.isPending}
              onClick={() => { again.mutate({ body: { project: query.project, sql: query.sql, fresh: true } }); }}
            >
              {t("result.again")}
            </Button>
          )}
          {query.result_kept && <Download id={query.id} />}
        </Group>
      }
    >
      <Stack gap="sm">
        <Problem error={again.error} />
        {!over && <UnderWay query={query} />}
        {state === "failed" && <Failed query={query} />}
        {state === "cancelled" && <Alert color="gray" title={query.error}>{t("result.cancelledTodo")}</Alert>}
        {state === "done" && <Done query={query} />}
      </Stack>
    </Section>
  );
}

function UnderWay({ query: { id, state, progress } }: { query: Query }) {
  const { t } = useTranslation("sql");
  const format = useFormat();
  const cancel = api.useMutation("delete", "/api/v1/queries/{id}", {
    onSuccess: () => refresh("/api/v1/queries/{id}", "/api/v1/queries"),
  });
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" role="status">
          {state === "queued" ? t("result.queued") : progress === null ? t("result.running") : t("result.progress", { part: format.percent(progress) })}
        </Text>
        <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => { cancel.mutate({ params: { path: { id } } }); }}>
          {t("result.cancel")}
        </Button>
      </Group>
      <Progress value={progress === null ? 100 : Math.max(progress * 100, 2)} striped={progress === null} animated aria-label={t("result.bar")} />
      <Problem error={cancel.error} />
    </Stack>
  );
}

/** What to do, by what went wrong. The words of what went wrong are the API's. */
const TODO = {
  statement_refused: "statement",
  invalid_input: "statement",
  limit_exceeded: "limit",
  budget_exceeded: "budget",
  not_found: "access",
  not_permitted: "access",
  unavailable: "later",
  integrity_broken: "steward",
} as const;

function Failed({ query: { error, error_code } }: { query: Query }) {
  const { t } = useTranslation("sql");
  const todo = error_code in TODO ? TODO[error_code as keyof typeof TODO] : "other";
  return (
    <Alert color="red" variant="light" role="alert" title={error}>
      <Text size="sm">{t(`todo.${todo}`)}</Text>
    </Alert>
  );
}

function Done({ query }: { query: Query }) {
  const { t } = useTranslation("sql");
  const format = useFormat();
  const { id, rows, scanned_bytes, cost, currency, stats, answered_by, versions, result_kept, result_until, result_removed } = query;
  const total = rows ?? 0;
  const facts = [
    t("result.rows", { count: total, shown: format.number(total) }),
    ...(scanned_bytes === null ? [] : [t("result.scanned", { bytes: format.bytes(scanned_bytes) })]),
    ...(stats === null ? [] : [t("result.took", { time: stats.seconds < 1 ? t("result.moment") : format.duration(stats.seconds) })]),
    ...(cost === null ? [] : [t("result.cost", { price: format.money(cost, currency) })]),
    ...(versions.length === 0 ? [] : [t("result.versions", { names: format.list(versions) })]),
  ];
  return (
    <>
      <Text size="sm" c="dimmed" role="status">
        {facts.join(" · ")}
      </Text>
      {answered_by !== null && answered_by !== id && <Text size="sm">{t("result.reused")}</Text>}
      {result_kept ? (
        <Tabs defaultValue="rows" keepMounted={false}>
          <Tabs.List mb="sm">
            <Tabs.Tab value="rows">{t("result.tab.rows")}</Tabs.Tab>
            <Tabs.Tab value="chart">{t("result.tab.chart")}</Tabs.Tab>
          </Tabs.List>
          <Tabs.Panel value="rows">
            <Rows id={id} columns={query.columns} total={total} />
          </Tabs.Panel>
          <Tabs.Panel value="chart">
            <Drawing id={id} columns={query.columns} total={total} />
          </Tabs.Panel>
        </Tabs>
      ) : (
        <Alert color="gray" title={t("result.gone")}>
          {result_removed === "" ? t("result.goneTodo") : `${result_removed} ${t("result.goneTodo")}`}
        </Alert>
      )}
      {result_kept && result_until !== null && (
        <Text size="xs" c="dimmed">
          {t("result.until", { when: format.dateTime(result_until) })}
        </Text>
      )}
    </>
  );
}

function Download({ id }: { id: string }) {
  const { t } = useTranslation("sql");
  const download = useMutation({
    mutationFn: async (format: FileFormat) => {
      const answer = await raw(`/queries/${encodeURIComponent(id)}/result?format=${format}`);
      save(`${id}.${format}`, await answer.blob());
    },
  });
  return (
    <>
      <Menu position="bottom-end">
        <Menu.Target>
          <Button size="xs" variant="default" leftSection={<IconDownload size={14} aria-hidden />} loading={download.isPending}>
            {t("result.download")}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {FORMATS.map((format) => (
            <Menu.Item key={format} onClick={() => { download.mutate(format); }}>
              {t(`format.${format}`)}
            </Menu.Item>
          ))}
        </Menu.Dropdown>
      </Menu>
      <Problem error={download.error} />
    </>
  );
}
