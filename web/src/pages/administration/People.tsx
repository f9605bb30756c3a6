import { Anchor, Button, Checkbox, Group, Modal, MultiSelect, PasswordInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { useMay } from "../../app/session";
import { useFormat } from "../../app/format";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { Until } from "./Until";

type Person = Item<"/api/v1/people">;
export const ROLES: readonly Schema<"Role">[] = ["admin", "steward", "scientist", "auditor"];
const SHOWN = ["active", "inactive", "left", "lapsed"] as const;

function day(): string {
  return new Date().toISOString().slice(0, 10);
}

export function lapsed({ training_until, agreement_until }: Person): boolean {
  return [training_until, agreement_until].some((until) => until !== null && until < day());
}

function isShown(person: Person, shown: string | null): boolean {
  if (shown === "active") return person.active;
  if (shown === "inactive") return !person.active;
  if (shown === "left") return person.left_at !== null;
  return shown !== "lapsed" || lapsed(person);
}

export function People() {
  const { t } = useTranslation("administration");
  const { t: shell } = useTranslation("shell");
  const format = useFormat();
  const may = useMay();
  const [params, setParams] = useSearchParams();
  const [adding, { open, close }] = useDisclosure(false);
  const wanted = SHOWN.find((one) => one === params.get("show")) ?? null;
  const listing = useListing("/api/v1/people", {}, { inAddress: true });
  const rows = useMemo(() => listing.rows.filter((person) => isShown(person, wanted)), [listing.rows, wanted]);
  const columns = useMemo<Column<Person>[]>(() => {
    const roles = (person: Person) => format.list(person.roles.map((role) => shell(`role.${role}`)));
    return [
      {
        key: "name",
        title: t("people.name"),
        sort: "display_name",
        value: ({ display_name, login }) => `${display_name} ${login}`,
        cell: ({ id, display_name, login }) => (
          <>
            <Anchor component={Link} to={`/administration/people/${id}`} size="sm" fw={500}>{display_name}</Anchor>
            <Text size="xs" c="dimmed">{login}</Text>
          </>
        ),
      },
      { key: "roles", title: t("people.roles"), sort: "roles", value: roles, cell: (person) => roles(person) || t("people.noRole") },
      { key: "state", title: t("people.state"), sort: "active", value: ({ active }) => (active ? "active" : "inactive"), cell: ({ active }) => <StateBadge state={active ? "active" : "inactive"} /> },
      { key: "origin", title: t("people.origin"), sort: "origin", value: ({ origin }) => origin, cell: ({ origin }) => (origin === "local" ? t("people.local") : origin) },
      { key: "training", title: t("people.training"), sort: "training_until", value: ({ training_until }) => training_until, cell: ({ training_until }) => <Until day={training_until} /> },
      { key: "agreement", title: t("people.agreement"), sort: "agreement_until", value: ({ agreement_until }) => agreement_until, cell: ({ agreement_until }) => <Until day={agreement_until} /> },
      { key: "left", title: t("people.left"), sort: "left_at", value: ({ left_at }) => left_at, cell: ({ left_at }) => <When at={left_at} /> },
      { key: "since", title: t("people.since"), sort: "created_at", value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} absolute />, hidden: true },
    ];
  }, [t, shell, format]);
  return (
    <Section title={t("section.people")} aside={may("people:write") && <Button onClick={open}>{t("people.add")}</Button>}>
      <DataTable
        title={t("section.people")}
        listing={{ ...listing, rows }}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<Empty title={t("people.none")}>{t("people.teach")}</Empty>}
        filters={
          <Select
            aria-label={t("people.show")}
            placeholder={t("people.everybody")}
            clearable
            clearButtonProps={{ "aria-label": t("people.everybody") }}
            value={wanted}
            onChange={(value) => { setParams(value === null ? {} : { show: value }, { replace: true }); }}
            data={SHOWN.map((value) => ({ value, label: t(`people.shown.${value}`) }))}
          />
        }
      />
      <Modal opened={adding} onClose={close} title={t("people.add")} closeButtonProps={{ "aria-label": t("close") }}>
        <Add />
      </Modal>
    </Section>
  );
}

function Add() {
  const { t } = useTranslation("administration");
  const { t: shell } = useTranslation("shell");
  const go = useNavigate();
  const [login, setLogin] = useState("");
  const [name, setName] = useState("");
  const [roles, setRoles] = useState<Schema<"Role">[]>([]);
  const [byPassword, setByPassword] = useState(true);
  const [password, setPassword] = useState("");
  const add = api.useMutation("post", "/api/v1/people", {
    onSuccess: async (person) => {
      await refresh("/api/v1/people");
      toast(t("people.added", { name: person.display_name }));
      await go(`/administration/people/${person.id}`);
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate({ body: { login, display_name: name, roles, ...(byPassword ? { password } : {}) } });
      }}
    >
      <Stack>
        <TextInput label={t("people.login")} required value={login} onChange={(event) => { setLogin(event.currentTarget.value); }} autoComplete="off" autoCapitalize="none" spellCheck={false} data-autofocus />
        <TextInput label={t("people.displayName")} required maxLength={200} value={name} onChange={(event) => { setName(event.currentTarget.value); }} autoComplete="off" />
        <Roles value={roles} onChange={setRoles} label={t("people.roles")} words={(role) => shell(`role.${role}`)} />
        <Checkbox label={t("people.byPassword")} description={t("people.byPasswordHelp")} checked={byPassword} onChange={(event) => { setByPassword(event.currentTarget.checked); }} />
        {byPassword && <PasswordInput label={t("people.password")} required value={password} onChange={(event) => { setPassword(event.currentTarget.value); }} autoComplete="new-password" visibilityToggleButtonProps={{ "aria-label": t("people.showPassword") }} />}
        <Problem error={add.error} />
        <Group justify="flex-end">
          <Button type="submit" loading={add.isPending}>{t("people.add")}</Button>
        </Group>
      </Stack>
    </form>
  );
}

interface RolesProps {
  value: Schema<"Role">[];
  onChange: (roles: Schema<"Role">[]) => void;
  label: string;
  words: (role: Schema<"Role">) => string;
  disabled?: boolean;
}

/** Which roles somebody has. */
export function Roles({ value, onChange, label, words, disabled = false }: RolesProps) {
  const { t } = useTranslation("administration");
  return (
    <MultiSelect
      label={label}
      disabled={disabled}
      value={value}
      onChange={(chosen) => { onChange(ROLES.filter((role) => chosen.includes(role))); }}
      data={ROLES.map((role) => ({ value: role, label: words(role) }))}
      clearButtonProps={{ "aria-label": t("people.noRole") }}
    />
  );
}
