/** A person: roles, dates, where they are signed in, what was tried with their login, and the ways to let them go. */
import { Alert, Anchor, Button, Group, List, Skeleton, Stack, Text, TextInput } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay, useSession } from "../../app/session";
import { Columns } from "../../parts/Columns";
import { Confirm } from "../../parts/Confirm";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { PersonAccess } from "./PersonAccess";
import { Roles } from "./People";
import { TokensOf } from "./Tokens";

type Person = Schema<"PersonAnswer">;

export function Component() {
  const { t } = useTranslation("administration");
  const { id = "" } = useParams();
  const may = useMay();
  const asked = api.useQuery("get", "/api/v1/people/{id}", { params: { path: { id } } });
  const person = asked.data;
  if (person === undefined) {
    return <Page title={t("person.title")}>{asked.isPending ? <Skeleton h={320} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />}</Page>;
  }
  return (
    <Page
      title={person.display_name}
      about={<>{person.login} {"·"} <Anchor component={Link} to="/administration/people" underline="always">{t("section.people")}</Anchor></>}
      actions={may("people:write") && <Standing person={person} />}
    >
      <Told person={person} />
      <Columns>
        {may("people:write") && <RolesAndName key={`${person.display_name} ${person.roles.join()}`} person={person} />}
        {may("people:write") && <Dates key={`${String(person.training_until)} ${String(person.agreement_until)}`} person={person} />}
        <PersonAccess person={person} />
      </Columns>
      {may("tokens:write") && <TokensOf login={person.login} />}
    </Page>
  );
}

function Told({ person }: { person: Person }) {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const told = [
    person.origin === "local" ? t("person.isLocal") : t("person.fromDirectory", { name: person.origin }),
    ...(person.has_password ? [] : [t("person.noPassword")]),
    ...(person.left_at === null ? [] : [t("person.left", { when: format.dateTime(person.left_at) })]),
  ];
  return (
    <Group gap="sm" align="flex-start">
      <StateBadge state={person.active ? "active" : "inactive"} />
      <List size="sm" listStyleType="none">{told.map((line) => <List.Item key={line}>{line}</List.Item>)}</List>
    </Group>
  );
}

function useChange(done: string) {
  return api.useMutation("patch", "/api/v1/people/{id}", {
    onSuccess: async () => {
      toast(done);
      await refresh("/api/v1/people", "/api/v1/people/{id}", "/api/v1/people/{id}/access", "/api/v1/tokens");
    },
  });
}

function RolesAndName({ person }: { person: Person }) {
  const { t } = useTranslation("administration");
  const { t: shell } = useTranslation("shell");
  const { login } = useSession();
  const [name, setName] = useState(person.display_name);
  const [roles, setRoles] = useState(person.roles);
  const change = useChange(t("person.changed"));
  const own = person.login === login;
  return (
    <Section title={t("person.who")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate({ params: { path: { id: person.id } }, body: { display_name: name, ...(own ? {} : { roles }) } });
        }}
      >
        <Stack>
          <TextInput label={t("people.displayName")} required maxLength={200} value={name} onChange={(event) => { setName(event.currentTarget.value); }} />
          <Roles value={roles} onChange={setRoles} label={t("people.roles")} words={(role) => shell(`role.${role}`)} disabled={own} />
          <Text size="xs" c="dimmed">{t(own ? "person.ownRoles" : "person.rolesMean")}</Text>
          <Problem error={change.error} />
          <Group><Button type="submit" loading={change.isPending}>{t("save")}</Button></Group>
        </Stack>
      </form>
    </Section>
  );
}

function Dates({ person }: { person: Person }) {
  const { t } = useTranslation("administration");
  const [training, setTraining] = useState(person.training_until ?? "");
  const [agreement, setAgreement] = useState(person.agreement_until ?? "");
  const change = useChange(t("person.changed"));
  return (
    <Section title={t("person.dates")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate({ params: { path: { id: person.id } }, body: { training_until: training || null, agreement_until: agreement || null } });
        }}
      >
        <Stack>
          <TextInput type="date" label={t("person.trainingUntil")} value={training} onChange={(event) => { setTraining(event.currentTarget.value); }} />
          <TextInput type="date" label={t("person.agreementUntil")} value={agreement} onChange={(event) => { setAgreement(event.currentTarget.value); }} />
          <Text size="xs" c="dimmed">{t("person.datesMean")}</Text>
          <Problem error={change.error} />
          <Group><Button type="submit" loading={change.isPending}>{t("save")}</Button></Group>
        </Stack>
      </form>
    </Section>
  );
}

function Standing({ person }: { person: Person }) {
  const { t } = useTranslation("administration");
  const { login } = useSession();
  const [asking, setAsking] = useState(false);
  const change = useChange(t(person.active ? "person.deactivated" : "person.activated", { name: person.display_name }));
  if (person.login === login) return null;
  const set = (active: boolean) => {
    change.mutate({ params: { path: { id: person.id } }, body: { active } }, { onSuccess: () => { setAsking(false); } });
  };
  return (
    <>
      {person.active ? (
        <Button color="red" variant="light" onClick={() => { setAsking(true); }}>{t("person.deactivate")}</Button>
      ) : (
        <Button variant="default" loading={change.isPending} onClick={() => { set(true); }}>{t("person.activate")}</Button>
      )}
      {!asking && change.error !== null && <Alert color="red" title={t("person.notChanged")}><Problem error={change.error} /></Alert>}
      <Confirm
        opened={asking}
        onClose={() => { setAsking(false); }}
        title={t("person.sure", { name: person.display_name })}
        label={t("person.deactivate")}
        typed={person.login}
        busy={change.isPending}
        error={change.error}
        onConfirm={() => { set(false); }}
      >
        {t("person.means")}
      </Confirm>
    </>
  );
}
