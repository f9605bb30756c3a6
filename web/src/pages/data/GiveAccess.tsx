/** Give a project a right to the dataset: checked by the API first, and told in words before it is given. */
import { Alert, Button, Group, List, Select, Stack, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { toast } from "../../parts/toast";
import { PartFields, usePart } from "./PartFields";

type Dataset = Schema<"DatasetDescription">;

export function GiveAccess({ dataset, onDone }: { dataset: Dataset; onDone: () => void }) {
  const { t } = useTranslation("data");
  const { projects: own } = useSession();
  const [project, setProject] = useState<string | null>(null);
  const [reason, setReason] = useState("");
  const part = usePart();
  const projects = api.useQuery("get", "/api/v1/projects", { params: { query: { limit: 1000 } } });
  const check = api.useMutation("post", "/api/v1/grants");
  const give = api.useMutation("post", "/api/v1/grants", {
    onSuccess: async (grant) => {
      toast(t("give.done", { project: grant.project }));
      onDone();
      await refresh("/api/v1/grants");
    },
  });
  const body = { project: project ?? "", dataset: dataset.name, reason, ...part.chosen, dry_run: false };
  // What was checked holds only for what is still written there.
  const checked = check.data !== undefined && JSON.stringify(check.variables.body) === JSON.stringify({ ...body, dry_run: true });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (checked) give.mutate({ body });
        else check.mutate({ body: { ...body, dry_run: true } });
      }}
    >
      <Stack>
        <Select
          label={t("give.project")}
          description={t("give.projectHelp")}
          required
          searchable
          data={(projects.data?.items ?? []).filter(({ name }) => !own.some((one) => one.name === name)).map(({ name, title }) => ({ value: name, label: `${title} (${name})` }))}
          value={project}
          onChange={setProject}
          data-autofocus
        />
        <Textarea label={t("give.reason")} description={t("give.reasonHelp")} required autosize minRows={2} maxLength={1000} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} />
        <PartFields dataset={dataset} part={part} />
        <Problem error={projects.error ?? give.error ?? check.error} />
        {checked && <Meaning dataset={dataset} grant={check.data} />}
        <Group justify="flex-end">
          <Button type="submit" loading={check.isPending || give.isPending} disabled={project === null}>{t(checked ? "give.give" : "give.check")}</Button>
        </Group>
      </Stack>
    </form>
  );
}

function Meaning({ dataset, grant }: { dataset: Dataset; grant: Schema<"GrantAnswer"> }) {
  const { t } = useTranslation("data");
  const format = useFormat();
  return (
    <Alert color="blue" variant="light" role="status" title={t("give.means", { project: grant.project })}>
      <List size="sm">
        {grant.tables === null && <List.Item>{t("give.all", { name: dataset.title })}</List.Item>}
        {grant.tables?.map(({ table, columns, row_filter }) => {
          const all = dataset.tables.find((one) => one.table === table)?.columns.map(({ name }) => name) ?? [];
          const hidden = columns == null ? [] : all.filter((name) => !columns.includes(name));
          return (
            <List.Item key={table}>
              {columns == null ? t("give.everyColumn", { table }) : t("give.columns", { table, names: format.list(columns), count: hidden.length })}{" "}
              {row_filter == null ? t("give.everyRow") : t("give.rows", { filter: row_filter })}
            </List.Item>
          );
        })}
        <List.Item>{grant.version === null ? t("give.newest") : t("give.version", { number: grant.version })}</List.Item>
        <List.Item>{grant.expires_at === null ? t("give.noEnd") : t("give.until", { when: format.dateTime(grant.expires_at) })}</List.Item>
      </List>
    </Alert>
  );
}
