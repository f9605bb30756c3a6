/** Git repositories of the project with their clone address, pushes and backups. */
import { ActionIcon, Button, Code as Mono, CopyButton, Group, Modal, Select, Stack, Table, Text, TextInput, Tooltip } from "@mantine/core";
import { IconCheck, IconCopy, IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh } from "../../api/atoll";
import { complete, useListing, type Item } from "../../api/listing";
import { useFormat } from "../../app/format";
import { useMay, useSession } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Bytes, Count, When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import classes from "./projects.module.css";

type Repository = Item<"/api/v1/projects/{name}/repositories">;
type Push = Item<"/api/v1/projects/{name}/pushes">;

function refreshCode(): Promise<void> {
  return refresh("/api/v1/projects/{name}/repositories", "/api/v1/projects/{name}/repositories/{repo}", "/api/v1/projects/{name}/pushes");
}

export function Code({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const { projects } = useSession();
  const [adding, setAdding] = useState(false);
  const [shown, setShown] = useState<string | null>(null);
  const asked = api.useQuery("get", "/api/v1/projects/{name}/repositories", { params: { path: { name } } });
  const makes = may("repositories:write") && projects.some((one) => one.name === name);
  const columns = useMemo<Column<Repository>[]>(
    () => [
      { key: "name", title: t("code.repository"), value: (one) => one.name, cell: (one) => <Text size="sm" fw={500} className={classes.told}>{one.name}</Text> },
      { key: "address", title: t("code.address"), value: ({ address }) => address, cell: ({ address }) => <Address address={address} /> },
      { key: "size", title: t("code.size"), figure: true, value: ({ size_bytes }) => size_bytes, cell: ({ size_bytes }) => (size_bytes === null ? t("code.elsewhere") : <Bytes bytes={size_bytes} />) },
      { key: "pushes", title: t("code.pushes"), figure: true, value: ({ pushes }) => pushes, cell: ({ pushes }) => <Count value={pushes} /> },
      { key: "last", title: t("code.last"), value: ({ last_push_at }) => last_push_at, cell: ({ last_push_at, last_push_by }) => (last_push_at === null ? "–" : <><When at={last_push_at} /> {last_push_by}</>) },
      {
        key: "backup",
        title: t("code.backup"),
        value: ({ last_backup_at }) => last_backup_at,
        cell: ({ last_backup_at, backup_failure }) => (backup_failure === "" ? last_backup_at === null ? t("code.notYet") : <When at={last_backup_at} /> : <StateBadge state="failed" reason={backup_failure} />),
      },
      { key: "deeds", title: t("member.deeds"), cell: (one) => <Button size="compact-sm" variant="default" aria-label={t("code.backupsOf", { name: one.name })} onClick={() => { setShown(one.name); }}>{t("code.backups")}</Button> },
    ],
    [t],
  );
  return (
    <Stack>
      <Section title={t("code.title")} aside={makes && <Button size="xs" leftSection={<IconPlus size={14} aria-hidden />} onClick={() => { setAdding(true); }}>{t("code.add")}</Button>}>
        <DataTable plain title={t("code.title")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={(one) => one.name} empty={<Empty title={t("code.none")}>{t("code.teach")}</Empty>} />
      </Section>
      <Pushes name={name} />
      <Modal opened={adding} onClose={() => { setAdding(false); }} title={t("code.add")} closeButtonProps={{ "aria-label": t("close") }}>
        <Add project={name} onDone={() => { setAdding(false); }} />
      </Modal>
      <Modal opened={shown !== null} onClose={() => { setShown(null); }} size="lg" title={t("code.backupsOf", { name: shown ?? "" })} closeButtonProps={{ "aria-label": t("close") }}>
        {shown !== null && <Backups project={name} repo={shown} />}
      </Modal>
    </Stack>
  );
}

function Address({ address }: { address: string }) {
  const { t } = useTranslation("projects");
  return (
    <Group gap={4} wrap="nowrap">
      <Mono className={classes.told}>{address}</Mono>
      <CopyButton value={address}>
        {({ copied, copy }) => (
          <Tooltip label={t(copied ? "code.copied" : "code.copy")}>
            <ActionIcon variant="subtle" color="gray" aria-label={t("code.copyOne", { address })} onClick={copy}>
              {copied ? <IconCheck size={16} aria-hidden /> : <IconCopy size={16} aria-hidden />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </Group>
  );
}

function Pushes({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const pushes = useListing("/api/v1/projects/{name}/pushes", { path: { name } });
  const columns = useMemo<Column<Push>[]>(
    () => [
      { key: "when", title: t("code.when"), value: ({ at }) => at, cell: ({ at }) => <When at={at} /> },
      { key: "who", title: t("code.who"), value: ({ login }) => login, cell: ({ login }) => login },
      { key: "to", title: t("code.repository"), value: ({ repository }) => repository, cell: ({ repository }) => <span className={classes.told}>{repository}</span> },
      {
        key: "refs",
        title: t("code.refs"),
        value: ({ changes }) => changes.map(({ ref }) => ref).join(" "),
        cell: ({ changes }) => changes.map(({ ref, accepted }) => (
          <Text key={ref} size="sm" className={classes.told}>{accepted ? ref : t("code.turnedAway", { ref })}</Text>
        )),
      },
      { key: "size", title: t("code.size"), figure: true, value: ({ bytes }) => bytes, cell: ({ bytes }) => <Bytes bytes={bytes} /> },
    ],
    [t],
  );
  return (
    <Section title={t("code.pushed")}>
      <DataTable plain title={t("code.pushed")} listing={pushes} columns={columns} rowKey={({ at, repository }) => `${at}/${repository}`} empty={<Empty title={t("code.noPush")}>{t("code.teachPush")}</Empty>} />
    </Section>
  );
}

function Add({ project, onDone }: { project: string; onDone: () => void }) {
  const { t } = useTranslation("projects");
  const [name, setName] = useState("");
  const add = api.useMutation("post", "/api/v1/projects/{name}/repositories", {
    onSuccess: async () => {
      toast(t("code.added"));
      onDone();
      await refreshCode();
    },
  });
  return (
    <form onSubmit={(event) => { event.preventDefault(); add.mutate({ params: { path: { name: project } }, body: { name: name.trim() } }); }}>
      <Stack>
        <TextInput label={t("code.name")} description={t("code.nameHelp")} required maxLength={80} spellCheck={false} value={name} onChange={(event) => { setName(event.currentTarget.value); }} data-autofocus />
        <Problem error={add.error} />
        <Group justify="flex-end"><Button type="submit" loading={add.isPending}>{t("code.make")}</Button></Group>
      </Stack>
    </form>
  );
}

function Backups({ project, repo }: { project: string; repo: string }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const format = useFormat();
  const [generation, setGeneration] = useState<string | null>(null);
  const [into, setInto] = useState("");
  const [sure, setSure] = useState(false);
  const asked = api.useQuery("get", "/api/v1/projects/{name}/repositories/{repo}", { params: { path: { name: project, repo } } });
  const restore = api.useMutation("post", "/api/v1/projects/{name}/repositories/{repo}/restore", {
    onSuccess: async () => {
      toast(t("code.restored"));
      setSure(false);
      await refreshCode();
    },
  });
  const backups = asked.data?.backups ?? [];
  return (
    <Stack>
      <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      {asked.data !== undefined && backups.length === 0 && <Empty title={t("code.noBackup")}>{t("code.teachBackup")}</Empty>}
      {backups.length > 0 && (
        <Table>
          <caption className="hush">{t("code.backups")}</caption>
          <Table.Thead>
            <Table.Tr><Table.Th scope="col">{t("code.when")}</Table.Th><Table.Th scope="col" ta="right">{t("code.refs")}</Table.Th><Table.Th scope="col" ta="right">{t("code.size")}</Table.Th></Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {backups.map((one) => (
              <Table.Tr key={one.id}>
                <Table.Td><When at={one.made_at} absolute /></Table.Td>
                <Table.Td ta="right"><Count value={one.refs} /></Table.Td>
                <Table.Td ta="right"><Bytes bytes={one.bytes} /></Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
      {may("repositories:restore") && backups.length > 0 && (
        <>
          <Select label={t("code.which")} allowDeselect={false} data={backups.map(({ id, made_at }) => ({ value: id, label: format.dateTime(made_at) }))} value={generation ?? backups[0]?.id ?? null} onChange={setGeneration} />
          <TextInput label={t("code.into")} description={t("code.intoHelp")} maxLength={80} spellCheck={false} value={into} onChange={(event) => { setInto(event.currentTarget.value); }} />
          <Group justify="flex-end"><Button variant="default" onClick={() => { setSure(true); }}>{t("code.restore")}</Button></Group>
          <Confirm
            opened={sure}
            onClose={() => { setSure(false); }}
            title={t("code.restoreSure")}
            label={t("code.restore")}
            onConfirm={() => { restore.mutate({ params: { path: { name: project, repo } }, body: { generation: generation ?? backups[0]?.id ?? "", into: into.trim() === "" ? null : into.trim(), replace: into.trim() === "" } }); }}
            busy={restore.isPending}
            error={restore.error}
          >
            {t(into.trim() === "" ? "code.restoreOver" : "code.restoreBeside")}
          </Confirm>
        </>
      )}
    </Stack>
  );
}
