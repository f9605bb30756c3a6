/** One request: where it stands and why, its files with what was found in them, decisions, releases, its history. */
import { Alert, Anchor, Button, Skeleton, Stack, Table, Text, Timeline } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { api } from "../../api/atoll";
import { Confirm } from "../../parts/Confirm";
import { When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { AddFiles } from "./AddFiles";
import classes from "./airlock.module.css";
import { Files } from "./Files";
import { Releases } from "./Releases";
import { refreshAirlock, useAirlockRights, type AirlockRequest } from "./request";
import { Review } from "./Review";

const REVIEWERS = 2;

export function Component() {
  const { t } = useTranslation("airlock");
  const { id = "" } = useParams();
  const asked = api.useQuery("get", "/api/v1/airlock-requests/{id}", { params: { path: { id } } });
  if (asked.data !== undefined) return <Known request={asked.data} />;
  return (
    <Page title={t("request")}>
      {asked.error === null ? <Skeleton h={260} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />}
    </Page>
  );
}

function Known({ request }: { request: AirlockRequest }) {
  const { t } = useTranslation("airlock");
  const rights = useAirlockRights()(request);
  const { id, state, direction, project } = request;
  const [ending, setEnding] = useState<"withdraw" | "revoke" | null>(null);
  const close = () => { setEnding(null); };
  const submit = api.useMutation("post", "/api/v1/airlock-requests/{id}/submit", { onSuccess: refreshAirlock });
  const done = async () => {
    toast(t("withdrawn"));
    close();
    await refreshAirlock();
  };
  const withdraw = api.useMutation("post", "/api/v1/airlock-requests/{id}/withdraw", { onSuccess: done });
  const revoke = api.useMutation("post", "/api/v1/airlock-requests/{id}/revoke", { onSuccess: done });
  return (
    <Page
      title={t(`of.${direction}`, { project })}
      about={<span className={classes.told}>{request.purpose}</span>}
      actions={
        <>
          <Button component={Link} to="/airlock" variant="subtle">{t("back")}</Button>
          {rights.withdraw && <Button variant="default" onClick={() => { setEnding("withdraw"); }}>{t("withdraw.ask")}</Button>}
          {rights.revoke && <Button variant="default" onClick={() => { setEnding("revoke"); }}>{t("revoke.ask")}</Button>}
          {rights.submit && <Button loading={submit.isPending} onClick={() => { submit.mutate({ params: { path: { id } } }); }}>{t("submit")}</Button>}
        </>
      }
    >
      <Problem error={submit.error} />
      <Section title={t("stands")} aside={<StateBadge state={state} />}>
        <Stack gap="sm">
          <Text size="sm" role="status">{t(`means.${state}`)}</Text>
          {state === "review" && <Text size="sm">{t("decided", { number: request.reviewed, of: REVIEWERS })} {t("blind")}</Text>}
          {state === "placed" && <Text size="sm">{t("placedWhere")}</Text>}
          <Facts
            rows={[
              [t("field.project"), <Anchor key="project" component={Link} to={`/projects/${project}`} size="sm">{project}</Anchor>],
              [t("field.requester"), request.requester],
              [t(`field.destination.${direction}`), <span key="destination" className={classes.told}>{request.destination}</span>],
              ...(request.workspace === null
                ? []
                : [[t("field.workspace"), rights.withdraw ? <Anchor key="machine" component={Link} to={`/machines/${request.workspace}`} size="sm">{request.workspace}</Anchor> : request.workspace] as const]),
              [t("field.opened"), <When key="opened" at={request.opened_at} absolute />],
              [t("field.submitted"), <When key="submitted" at={request.submitted_at} absolute />],
            ]}
          />
        </Stack>
      </Section>
      {state === "returned" && request.mine && <Alert color="red" title={t("returned.title")}>{t("returned.teach")}</Alert>}
      <Files request={request} rights={rights} />
      {rights.change && <AddFiles request={request} />}
      {rights.review && <Review key={`${id}/${request.round}`} request={request} />}
      {request.grants.length > 0 && <Releases request={request} rights={rights} />}
      <History request={request} />
      <Confirm
        opened={ending !== null}
        onClose={close}
        title={t(ending === "revoke" ? "revoke.sure" : "withdraw.sure")}
        label={t(ending === "revoke" ? "revoke.label" : "withdraw.label")}
        onConfirm={() => { (ending === "revoke" ? revoke : withdraw).mutate({ params: { path: { id } } }); }}
        busy={withdraw.isPending || revoke.isPending}
        error={withdraw.error ?? revoke.error}
      >
        {t(ending === "revoke" ? "revoke.means" : "withdraw.means")}
      </Confirm>
    </Page>
  );
}

const DEEDS = ["open", "put", "remove", "submit", "check", "check_fail", "review", "place", "place_fail", "grant", "fetch", "expire", "withdraw"] as const;

function History({ request: { history } }: { request: AirlockRequest }) {
  const { t } = useTranslation("airlock");
  return (
    <Section title={t("history")}>
      <Timeline active={history.length - 1} bulletSize={14} lineWidth={2}>
        {history.map(({ at, deed, state, by }, index) => {
          const known = DEEDS.find((one) => one === deed);
          return (
            <Timeline.Item key={`${index}/${at}`} title={known === undefined ? deed : t(`deed.${known}`)}>
              <Text size="sm" component="div">
                <StateBadge state={state} /> {by === null ? t("unnamed") : by === "platform" ? t("platform") : by} <Text span inherit c="dimmed"><When at={at} absolute /></Text>
              </Text>
            </Timeline.Item>
          );
        })}
      </Timeline>
    </Section>
  );
}

function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <Table verticalSpacing={4}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400} w="14rem">{name}</Table.Th>
            <Table.Td>{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
