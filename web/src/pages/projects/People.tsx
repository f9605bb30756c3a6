/** Who is of the project, until when, and who answers for it. Who may adds, changes and removes people. */
import { Button, Checkbox, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";

type Project = Schema<"ProjectAnswer">;
interface Member {
  login: string;
  until: string | null;
  lead: boolean;
  byDirectory: boolean;
}

function refreshProject(): Promise<void> {
  return refresh("/api/v1/projects", "/api/v1/projects/{name}");
}

/** A day of an input, in one's own zone. */
function dayOf(at: string | null): string {
  if (at === null) return "";
  const moment = new Date(at);
  return [moment.getFullYear(), String(moment.getMonth() + 1).padStart(2, "0"), String(moment.getDate()).padStart(2, "0")].join("-");
}

export function People({ project }: { project: Project }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const { login: me } = useSession();
  const [changing, setChanging] = useState<Member | "new" | null>(null);
  const [leaving, setLeaving] = useState<Member | null>(null);
  const writes = may("projects:write");
  const remove = api.useMutation("delete", "/api/v1/projects/{name}/members/{login}", {
    onSuccess: async () => {
      toast(t("member.removed"));
      setLeaving(null);
      await refreshProject();
    },
  });
  const rows = useMemo<Member[]>(
    () => project.members.map((login) => {
      const term = project.terms.find((one) => one.login === login);
      return { login, until: term?.until ?? null, lead: term?.lead ?? false, byDirectory: term?.by_directory ?? false };
    }),
    [project],
  );
  const columns = useMemo<Column<Member>[]>(
    () => [
      { key: "login", title: t("member.person"), value: ({ login }) => login, cell: ({ login }) => (login === me ? t("member.me", { login }) : login) },
      { key: "part", title: t("member.part"), value: ({ lead }) => t(lead ? "member.lead" : "member.member"), cell: ({ lead }) => t(lead ? "member.lead" : "member.member") },
      { key: "until", title: t("member.until"), value: ({ until }) => until, cell: ({ until }) => (until === null ? t("member.noEnd") : <When at={until} absolute />) },
      { key: "from", title: t("member.from"), value: ({ byDirectory }) => t(byDirectory ? "member.directory" : "member.here"), cell: ({ byDirectory }) => t(byDirectory ? "member.directory" : "member.here") },
      ...(writes
        ? [{
            key: "deeds",
            title: t("member.deeds"),
            cell: (member: Member) => member.byDirectory ? (
              <Text size="xs" c="dimmed">{t("member.there")}</Text>
            ) : (
              <Group gap={4} wrap="nowrap">
                <Button size="compact-sm" variant="default" aria-label={t("member.changeOne", { login: member.login })} onClick={() => { setChanging(member); }}>{t("member.change")}</Button>
                <Button size="compact-sm" variant="default" aria-label={t("member.removeOne", { login: member.login })} onClick={() => { setLeaving(member); }}>{t("member.remove")}</Button>
              </Group>
            ),
          }]
        : []),
    ],
    [t, me, writes],
  );
  return (
    <Section
      title={t("tab.people")}
      aside={writes && <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => { setChanging("new"); }}>{t("member.add")}</Button>}
    >
      <DataTable
        plain
        title={t("tab.people")}
        listing={complete(rows, { isPending: false, error: null, refetch: () => undefined })}
        columns={columns}
        rowKey={({ login }) => login}
        empty={<Empty title={t("member.none")}>{t(writes ? "member.teach" : "member.teachOthers")}</Empty>}
      />
      <Modal opened={changing !== null} onClose={() => { setChanging(null); }} title={changing === "new" ? t("member.add") : t("member.changeOne", { login: changing?.login ?? "" })} closeButtonProps={{ "aria-label": t("close") }}>
        {changing !== null && <Terms project={project} member={changing === "new" ? null : changing} onDone={() => { setChanging(null); }} />}
      </Modal>
      <Confirm
        opened={leaving !== null}
        onClose={() => { setLeaving(null); }}
        title={t("member.sure", { login: leaving?.login ?? "" })}
        label={t("member.remove")}
        onConfirm={() => { if (leaving !== null) remove.mutate({ params: { path: { name: project.name, login: leaving.login } } }); }}
        busy={remove.isPending}
        error={remove.error}
      >
        {t("member.means")}
      </Confirm>
      <Paste project={project} mayChange={writes} />
    </Section>
  );
}

/** Whether text may be pasted into the project's desktops; none ever comes out of them but by the airlock. */
function Paste({ project, mayChange }: { project: Project; mayChange: boolean }) {
  const { t } = useTranslation("projects");
  const put = api.useMutation("put", "/api/v1/projects/{name}/paste", { onSuccess: refreshProject });
  return (
    <Stack gap="xs" mt="md">
      <Checkbox
        label={t("paste.label")}
        description={t("paste.help")}
        checked={project.paste}
        disabled={!mayChange || put.isPending}
        onChange={(event) => { put.mutate({ params: { path: { name: project.name } }, body: { paste: event.currentTarget.checked } }); }}
      />
      <Problem error={put.error} />
    </Stack>
  );
}

function Terms({ project: { name, members }, member, onDone }: { project: Project; member: Member | null; onDone: () => void }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const [login, setLogin] = useState(member?.login ?? "");
  const [until, setUntil] = useState(dayOf(member?.until ?? null));
  const [lead, setLead] = useState(member?.lead ?? false);
  const people = api.useQuery("get", "/api/v1/people", { params: { query: { limit: 1000 } } }, { enabled: member === null && may("people:read") });
  const others = people.data?.items.filter(({ login: one, active }) => active && !members.includes(one)) ?? [];
  const put = api.useMutation("put", "/api/v1/projects/{name}/members/{login}", {
    onSuccess: async () => {
      toast(t("member.done"));
      onDone();
      await refreshProject();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // To the end of the day where one is.
        put.mutate({ params: { path: { name, login } }, body: { until: until === "" ? null : new Date(`${until}T23:59:59`).toISOString(), lead } });
      }}
    >
      <Stack>
        {member === null && (
          <Select label={t("member.person")} required searchable nothingFoundMessage={t("member.nobody")} data={others.map((one) => ({ value: one.login, label: `${one.display_name} (${one.login})` }))} value={login || null} onChange={(one) => { setLogin(one ?? ""); }} />
        )}
        <TextInput type="date" label={t("member.until")} description={t("member.untilHelp")} value={until} onChange={(event) => { setUntil(event.currentTarget.value); }} />
        <Checkbox label={t("member.leads")} checked={lead} onChange={(event) => { setLead(event.currentTarget.checked); }} />
        <Problem error={put.error ?? people.error} />
        <Group justify="flex-end"><Button type="submit" disabled={login === ""} loading={put.isPending}>{t("member.save")}</Button></Group>
      </Stack>
    </form>
  );
}
