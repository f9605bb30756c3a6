/** Ask that a project of one's own may read the dataset, whole or some tables, columns and rows of it. */
import { Button, Select, Stack, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { toast } from "../../parts/toast";
import { PartFields, usePart } from "./PartFields";

export function AskAccess({ dataset, onDone }: { dataset: Schema<"DatasetDescription">; onDone: () => void }) {
  const { t } = useTranslation("data");
  const { projects } = useSession();
  const [project, setProject] = useState(projects[0]?.name ?? "");
  const [purpose, setPurpose] = useState("");
  const part = usePart();
  const ask = api.useMutation("post", "/api/v1/grant-requests", {
    onSuccess: async () => {
      toast(t("ask.asked"));
      onDone();
      await refresh("/api/v1/grant-requests");
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        ask.mutate({
          body: {
            project,
            dataset: dataset.name,
            purpose,
            ...part.chosen,
          },
        });
      }}
    >
      <Stack>
        <Select label={t("ask.project")} allowDeselect={false} data={projects.map(({ name, title }) => ({ value: name, label: title }))} value={project} onChange={(one) => { setProject(one ?? project); }} />
        <Textarea label={t("ask.purpose")} description={t("ask.purposeHelp")} required autosize minRows={3} maxLength={2000} value={purpose} onChange={(event) => { setPurpose(event.currentTarget.value); }} data-autofocus />
        <PartFields dataset={dataset} part={part} />
        <Problem error={ask.error} />
        <Button type="submit" loading={ask.isPending}>
          {t("actions.ask")}
        </Button>
      </Stack>
    </form>
  );
}
