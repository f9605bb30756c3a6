/** Put files into an open request: from the project's share on the way out, from one's own computer either way. */
import { Anchor, Breadcrumbs, Button, FileButton, Group, List, Progress, Stack, Table, Text } from "@mantine/core";
import { IconFile, IconFolder, IconUpload } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, raw } from "../../api/atoll";
import { Empty } from "../../parts/Empty";
import { Bytes, When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import classes from "./airlock.module.css";
import { refreshAirlock, type AirlockRequest } from "./request";

interface Failed {
  name: string;
  error: unknown;
}

/** The place of a file: its own where one of that name is there already, else the next. */
function placeOf(name: string, names: string[]): number {
  const at = names.indexOf(name);
  return at === -1 ? names.length : at;
}

export function AddFiles({ request }: { request: AirlockRequest }) {
  const { t } = useTranslation("airlock");
  const [sent, setSent] = useState<{ done: number; of: number; name: string } | null>(null);
  const [failed, setFailed] = useState<Failed[]>([]);

  const upload = async (files: File[]) => {
    const names = request.files.map(({ name }) => name);
    const wrong: Failed[] = [];
    setFailed([]);
    for (const [done, file] of files.entries()) {
      setSent({ done, of: files.length, name: file.name });
      const name = file.name.normalize("NFC");
      const index = placeOf(name, names);
      try {
        await raw(`/airlock-requests/${request.id}/files/${index}?${new URLSearchParams({ name }).toString()}`, {
          method: "PUT",
          body: file,
          headers: { "Content-Type": "application/octet-stream" },
        });
        names[index] = name;
      } catch (error) {
        wrong.push({ name: file.name, error });
      }
    }
    setSent(null);
    setFailed(wrong);
    await refreshAirlock();
  };

  return (
    <Section title={t("add.title")}>
      <Stack>
        <Text size="sm" c="dimmed">{t(`add.means.${request.direction}`)}</Text>
        <Group>
          <FileButton multiple onChange={(files) => { void upload(files); }}>
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconUpload size={16} aria-hidden />} loading={sent !== null}>
                {t("add.upload")}
              </Button>
            )}
          </FileButton>
        </Group>
        {sent !== null && (
          <div role="status">
            <Text size="sm" className={classes.told}>{t("add.sending", { name: sent.name, number: sent.done + 1, of: sent.of })}</Text>
            <Progress value={(100 * sent.done) / sent.of} aria-label={t("add.upload")} />
          </div>
        )}
        {failed.length > 0 && (
          <List listStyleType="none" spacing="xs">
            {failed.map(({ name, error }, index) => (
              <List.Item key={`${index}/${name}`}>
                <Text size="sm" className={classes.told}>{t("add.notTaken", { name })}</Text>
                <Problem error={error} />
              </List.Item>
            ))}
          </List>
        )}
        {request.direction === "out" && <Share request={request} />}
      </Stack>
    </Section>
  );
}

function Share({ request: { id, project, files } }: { request: AirlockRequest }) {
  const { t } = useTranslation("airlock");
  const [folder, setFolder] = useState<string[]>([]);
  const asked = api.useQuery("get", "/api/v1/projects/{name}/share/files", { params: { path: { name: project }, query: { folder: folder.join("/") } } });
  const take = api.useMutation("post", "/api/v1/airlock-requests/{id}/files/{index}/from-share", { onSuccess: refreshAirlock });
  const names = files.map(({ name }) => name);
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600}>{t("share.title")}</Text>
      <Text size="sm" c="dimmed">{t("share.about")}</Text>
      <Breadcrumbs>
        {["/project", ...folder].map((part, depth) => (
          <Anchor key={`${depth}/${part}`} component="button" type="button" size="sm" className={classes.told} onClick={() => { setFolder(folder.slice(0, depth)); }}>
            {part}
          </Anchor>
        ))}
      </Breadcrumbs>
      <Problem error={asked.error ?? take.error} {...(asked.error === null ? {} : { onRetry: () => void asked.refetch() })} />
      {asked.data?.items.length === 0 && <Empty title={t("share.none")}>{t("share.teach")}</Empty>}
      {asked.data !== undefined && asked.data.items.length > 0 && (
        <Table verticalSpacing={4}>
          <caption className="hush">{t("share.title")}</caption>
          <Table.Tbody>
            {asked.data.items.map((entry) => (
              <Table.Tr key={entry.name}>
                <Table.Td>
                  <Group gap="xs" wrap="nowrap">
                    {entry.folder ? <IconFolder size={16} aria-hidden /> : <IconFile size={16} aria-hidden />}
                    {entry.folder ? (
                      <Anchor component="button" type="button" size="sm" className={classes.told} onClick={() => { setFolder([...folder, entry.name]); }}>{entry.name}</Anchor>
                    ) : (
                      <Text size="sm" className={classes.told}>{entry.name}</Text>
                    )}
                  </Group>
                </Table.Td>
                <Table.Td ta="right">{!entry.folder && <Bytes bytes={entry.size_bytes} />}</Table.Td>
                <Table.Td><When at={entry.changed_at} /></Table.Td>
                <Table.Td ta="right">
                  {!entry.folder && (
                    <Button
                      size="compact-sm"
                      variant="light"
                      loading={take.isPending}
                      aria-label={t("share.takeOne", { name: entry.name })}
                      onClick={() => { take.mutate({ params: { path: { id, index: placeOf(entry.name, names) } }, body: { path: [...folder, entry.name].join("/") } }); }}
                    >
                      {t(names.includes(entry.name) ? "share.again" : "share.take")}
                    </Button>
                  )}
                </Table.Td>
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      )}
    </Stack>
  );
}
