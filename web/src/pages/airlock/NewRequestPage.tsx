/** Ask for files to leave a project or to enter it: why, where to, from which machine. Files follow on the request's page. */
import { Button, SegmentedControl, Select, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api } from "../../api/atoll";
import { useListing } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { refreshAirlock } from "./request";

export function Component() {
  const { t } = useTranslation("airlock");
  const may = useMay();
  const { projects } = useSession();
  return (
    <Page title={t("new.title")} about={t("new.about")} actions={<Button component={Link} to="/airlock" variant="subtle">{t("back")}</Button>}>
      <Section title={t("new.what")}>
        {may("airlock:request") && projects.length > 0 ? <Ask /> : <Empty title={t("new.closed")}>{t("new.closedTeach")}</Empty>}
      </Section>
    </Page>
  );
}

function Ask() {
  const { t } = useTranslation("airlock");
  const { login, projects } = useSession();
  const [search] = useSearchParams();
  const go = useNavigate();
  const [direction, setDirection] = useState<"out" | "in">(search.get("direction") === "in" ? "in" : "out");
  const [project, setProject] = useState(projects.find(({ name }) => name === search.get("project"))?.name ?? projects[0]?.name ?? "");
  const [purpose, setPurpose] = useState("");
  const [destination, setDestination] = useState("");
  const [workspace, setWorkspace] = useState<string | null>(null);
  const machines = useListing("/api/v1/workspaces", { query: { project } }, { enabled: direction === "out" && project !== "" });
  const mine = machines.rows.filter(({ owner }) => owner === login);
  const open = api.useMutation("post", "/api/v1/airlock-requests", {
    onSuccess: async ({ id }) => {
      await refreshAirlock();
      await go(`/airlock/${id}`);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        open.mutate({ body: { project, direction, purpose: purpose.trim(), destination: destination.trim(), workspace: direction === "out" ? workspace : null } });
      }}
    >
      <Stack maw="40rem">
        <SegmentedControl
          aria-label={t("field.direction")}
          value={direction}
          onChange={(value) => { setDirection(value); }}
          data={[{ value: "out" as const, label: t("direction.out") }, { value: "in" as const, label: t("direction.in") }]}
        />
        <Text size="sm" c="dimmed">{t(`new.means.${direction}`)}</Text>
        <Select label={t("field.project")} allowDeselect={false} data={projects.map(({ name, title }) => ({ value: name, label: title }))} value={project} onChange={(one) => { setProject(one ?? project); setWorkspace(null); }} />
        {direction === "out" && mine.length > 0 && (
          <Select label={t("field.workspace")} description={t("new.workspaceHelp")} clearable clearButtonProps={{ "aria-label": t("new.noWorkspace") }} data={mine.map(({ id, name }) => ({ value: id, label: name }))} value={workspace} onChange={setWorkspace} />
        )}
        <Textarea label={t("field.purpose")} description={t("new.purposeHelp")} required autosize minRows={3} maxLength={2000} value={purpose} onChange={(event) => { setPurpose(event.currentTarget.value); }} />
        <TextInput label={t(`field.destination.${direction}`)} description={t(`new.destinationHelp.${direction}`)} required maxLength={2000} value={destination} onChange={(event) => { setDestination(event.currentTarget.value); }} />
        <Problem error={open.error} />
        <Button type="submit" loading={open.isPending} disabled={purpose.trim() === "" || destination.trim() === ""}>{t("new.next")}</Button>
      </Stack>
    </form>
  );
}
