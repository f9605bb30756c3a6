/** The files of a request: what they are, what was found in them, what was decided; looked into, taken out, fetched. */
import { Alert, Badge, Button, Card, Code, Group, List, Modal, Stack, Text, Title } from "@mantine/core";
import { IconDownload, IconEye } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, raw, type Schema } from "../../api/atoll";
import { useMay, useSession } from "../../app/session";
import { TONES, type Tone } from "../../app/theme";
import { Confirm } from "../../parts/Confirm";
import { save } from "../../parts/DataTable/csv";
import { Empty } from "../../parts/Empty";
import { Bytes, When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import classes from "./airlock.module.css";
import { checkOf } from "./checks";
import { Preview } from "./Preview";
import { refreshAirlock, type AirlockFile, type AirlockRequest, type AirlockRights } from "./request";

const TONE: Record<Schema<"Severity">, Tone> = { refuse: "bad", warn: "wait", info: "idle" };

export function Files({ request, rights }: { request: AirlockRequest; rights: AirlockRights }) {
  const { t } = useTranslation("airlock");
  const [shown, setShown] = useState<AirlockFile | null>(null);
  const [fetching, setFetching] = useState<AirlockFile | null>(null);
  const remove = api.useMutation("delete", "/api/v1/airlock-requests/{id}/files/{index}", { onSuccess: refreshAirlock });
  const grants = useOwnGrants(request);
  const { id, files } = request;
  return (
    <Section title={t("files")}>
      <Problem error={remove.error} />
      {files.length === 0 && <Empty title={t("noFiles")}>{t(rights.change ? "noFilesTeach" : "noFilesOthers")}</Empty>}
      <Stack gap="sm">
        {files.map((file) => (
          <Card key={`${file.index}/${file.sha256}`} component="article" aria-labelledby={`file-${file.index}`}>
            <Stack gap="xs">
              <Group justify="space-between" align="flex-start">
                <div>
                  <Title order={3} size="h5" id={`file-${file.index}`} className={classes.told}>{file.name}</Title>
                  <Text size="sm" c="dimmed" component="div">
                    <Bytes bytes={file.size_bytes} /> {file.form !== "" && <Code>{file.form}</Code>}
                  </Text>
                  <div className={classes.hash}>{file.sha256}</div>
                </div>
                <Group gap="xs">
                  {file.approved !== null && <StateBadge state={file.approved ? "approved" : "refused"} />}
                  {rights.look && (
                    <Button size="compact-sm" variant="default" leftSection={<IconEye size={14} aria-hidden />} aria-label={t("look.one", { name: file.name })} onClick={() => { setShown(file); }}>
                      {t("look.label")}
                    </Button>
                  )}
                  {rights.change && (
                    <Button size="compact-sm" variant="default" loading={remove.isPending} aria-label={t("remove.one", { name: file.name })} onClick={() => { remove.mutate({ params: { path: { id, index: file.index } } }); }}>
                      {t("remove.label")}
                    </Button>
                  )}
                  {grants.has(file.index) && (
                    <Button size="compact-sm" leftSection={<IconDownload size={14} aria-hidden />} aria-label={t("fetch.one", { name: file.name })} onClick={() => { setFetching(file); }}>
                      {t("fetch.ask")}
                    </Button>
                  )}
                </Group>
              </Group>
              {file.placed !== null && <Text size="sm">{t("placedAt")} <Code className={classes.told}>{file.placed}</Code></Text>}
              <Findings file={file} />
              <Decisions request={request} file={file} />
            </Stack>
          </Card>
        ))}
      </Stack>
      <Modal opened={shown !== null} onClose={() => { setShown(null); }} size="xl" title={shown && <span className={classes.told}>{shown.name}</span>} closeButtonProps={{ "aria-label": t("close") }}>
        {shown !== null && <Preview id={id} file={shown} />}
      </Modal>
      <Fetch request={request} file={fetching} onClose={() => { setFetching(null); }} />
    </Section>
  );
}

/** Places of the files that one may fetch now; a grant is good for one download. */
function useOwnGrants({ state, grants }: AirlockRequest): ReadonlySet<number> {
  const { login } = useSession();
  const may = useMay();
  const [now] = useState(() => Date.now());
  if (state !== "released" || !may("airlock:request")) return new Set();
  return new Set(grants.filter(({ person, fetched_at, expires_at }) => person === login && fetched_at === null && new Date(expires_at).getTime() > now).map(({ index }) => index));
}

function Findings({ file: { findings } }: { file: AirlockFile }) {
  const { t } = useTranslation("airlock");
  if (findings === null) return <Text size="sm" c="dimmed">{t("unchecked")}</Text>;
  if (findings.length === 0) return <Text size="sm">{t("nothingFound")}</Text>;
  return (
    <List listStyleType="none" spacing="xs" size="sm">
      {findings.map(({ check, severity, where, message, todo }, index) => {
        const known = checkOf(check);
        return (
          <List.Item key={`${index}/${check}`}>
            <Group gap="xs" align="baseline">
              <Badge variant="light" radius="sm" tt="none" fw={500} miw="max-content" color={TONES[TONE[severity]]}>{t(`severity.${severity}`)}</Badge>
              <Text span inherit fw={500}>{known === undefined ? check : t(`check.${known}`)}</Text>
              <Code>{check}</Code>
              {where !== "" && <Text span inherit c="dimmed" className={classes.told}>{where}</Text>}
            </Group>
            <Text size="sm" className={classes.told}>{message}</Text>
            {todo !== "" && <Text size="sm" c="dimmed" className={classes.told}>{todo}</Text>}
          </List.Item>
        );
      })}
    </List>
  );
}

/** Of the round that is told: both reviews once both are there, before that one's own. */
function Decisions({ request: { reviews, round }, file }: { request: AirlockRequest; file: AirlockFile }) {
  const { t } = useTranslation("airlock");
  const said = reviews
    .filter((review) => review.round === round)
    .flatMap(({ reviewer, at, decisions }) => decisions.filter(({ index }) => index === file.index).map((decision) => ({ reviewer, at, ...decision })));
  if (said.length === 0) return null;
  return (
    <List listStyleType="none" spacing={4} size="sm">
      {said.map(({ reviewer, at, approve, reason }) => (
        <List.Item key={reviewer}>
          <StateBadge state={approve ? "approved" : "refused"} /> {t("saidBy", { login: reviewer })} <Text span inherit className={classes.text}>{reason}</Text>{" "}
          <Text span inherit c="dimmed"><When at={at} absolute /></Text>
        </List.Item>
      ))}
    </List>
  );
}

/** Told before the click: it can be downloaded once. */
function Fetch({ request: { id, destination }, file, onClose }: { request: AirlockRequest; file: AirlockFile | null; onClose: () => void }) {
  const { t } = useTranslation("airlock");
  const fetching = useMutation({
    mutationFn: async ({ index, name }: AirlockFile) => {
      const answer = await raw(`/airlock-requests/${id}/files/${index}/content`);
      save(name, await answer.blob());
    },
    onSuccess: () => {
      toast(t("fetch.done"));
      onClose();
    },
    onSettled: refreshAirlock,
  });
  return (
    <Confirm
      opened={file !== null}
      onClose={() => { fetching.reset(); onClose(); }}
      title={t("fetch.sure")}
      label={t("fetch.label")}
      danger={false}
      onConfirm={() => { if (file !== null) fetching.mutate(file); }}
      busy={fetching.isPending}
      error={fetching.error}
    >
      <Stack gap="xs">
        <Text size="sm" className={classes.told} fw={500}>{file?.name}</Text>
        <Alert color="yellow">{t("fetch.once")}</Alert>
        <Text size="sm" className={classes.told}>{t("fetch.to", { destination })}</Text>
      </Stack>
    </Confirm>
  );
}
