/** Projects: one's own, or all for those who look after them. */
import { Anchor, Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate } from "react-router";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

type Project = Item<"/api/v1/projects">;

export function Component() {
  const { t } = useTranslation("projects");
  const may = useMay();
  const { projects: own } = useSession();
  const [adding, { open, close }] = useDisclosure(false);
  const listing = useListing("/api/v1/projects", {}, { inAddress: true });
  const all = may("projects:read");
  const columns = useMemo<Column<Project>[]>(
    () => [
      {
        key: "title",
        title: t("project"),
        sort: "title",
        value: ({ title, name }) => `${title} ${name}`,
        cell: ({ name, title }) => (
          <>
            <Anchor component={Link} to={`/projects/${name}`} size="sm" fw={500}>{title}</Anchor>
            <Text size="xs" c="dimmed">{name}</Text>
          </>
        ),
      },
      { key: "leads", title: t("leads"), sort: "leads", value: ({ terms }) => leadsOf(terms), cell: ({ terms }) => leadsOf(terms) || "–" },
      { key: "people", title: t("people"), sort: "members", figure: true, value: ({ members }) => members.length, cell: ({ members }) => <Count value={members.length} /> },
      { key: "mine", title: t("own"), hidden: !all, value: ({ name }) => t(own.some((one) => one.name === name) ? "yes" : "no"), cell: ({ name }) => t(own.some((one) => one.name === name) ? "yes" : "no") },
      { key: "since", title: t("since"), sort: "created_at", value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} absolute /> },
    ],
    [t, own, all],
  );
  return (
    <Page
      title={t(all ? "all" : "title")}
      about={t("about")}
      actions={may("projects:write") && <Button leftSection={<IconPlus size={16} aria-hidden />} onClick={open}>{t("add.open")}</Button>}
    >
      <Section title={t("list")}>
        <DataTable title={t("list")} listing={listing} columns={columns} rowKey={({ name }) => name} empty={<Empty title={t("none")}>{t("teach")}</Empty>} />
      </Section>
      <Modal opened={adding} onClose={close} title={t("add.title")} closeButtonProps={{ "aria-label": t("close") }}>
        <Add />
      </Modal>
    </Page>
  );
}

function leadsOf(terms: Project["terms"]): string {
  return terms.filter(({ lead }) => lead).map(({ login }) => login).join(", ");
}

function Add() {
  const { t } = useTranslation("projects");
  const go = useNavigate();
  const [name, setName] = useState("");
  const [title, setTitle] = useState("");
  const add = api.useMutation("post", "/api/v1/projects", {
    onSuccess: async (made) => {
      await refresh("/api/v1/projects");
      await go(`/projects/${made.name}`);
    },
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate({ body: { name, title: title.trim() } }); }}>
      <Stack>
        <TextInput label={t("add.name")} description={t("add.nameHelp")} required maxLength={40} pattern="[a-z][a-z0-9_\-]*" value={name} onChange={(event) => { setName(event.currentTarget.value); }} data-autofocus />
        <TextInput label={t("add.itsTitle")} required maxLength={200} value={title} onChange={(event) => { setTitle(event.currentTarget.value); }} />
        <Problem error={add.error} />
        <Group justify="flex-end"><Button type="submit" loading={add.isPending}>{t("add.label")}</Button></Group>
      </Stack>
    </form>
  );
}
