/** A machine: its state and why, what is under way, what may be done, what it costs and sees. */
import { Alert, Button, Code, Group, List, Modal, Skeleton, Stack, Table, Text } from "@mantine/core";
import { IconExternalLink } from "@tabler/icons-react";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { api } from "../../api/atoll";
import { Columns } from "../../parts/Columns";
import { Duration, Money, When } from "../../parts/Figures";
import { OperationProgress } from "../../parts/OperationProgress";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { useDeeds, useEntrance, useRights, type Machine } from "./deeds";
import { Entered } from "./Entered";
import { Hours } from "./Hours";
import { Log } from "./Log";
import { Price } from "../../parts/Price";
import { Resize } from "./Resize";
import { Sharing } from "./Sharing";
import { Stop, Terminate } from "./Terminate";

export function Component() {
  const { t } = useTranslation("machines");
  const { id = "" } = useParams();
  const asked = api.useQuery("get", "/api/v1/workspaces/{id}", { params: { path: { id } } });
  if (asked.data !== undefined) return <Known machine={asked.data} />;
  return (
    <Page title={t("one.title")}>
      {asked.error === null ? <Skeleton h={260} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />}
    </Page>
  );
}

function Known({ machine }: { machine: Machine }) {
  const { t } = useTranslation("machines");
  const rights = useRights()(machine);
  const deeds = useDeeds();
  const entrance = useEntrance();
  const [asking, setAsking] = useState<"stop" | "resize" | "terminate" | null>(null);
  const close = () => { setAsking(null); };
  const { id, name, operation } = machine;
  return (
    <Page
      title={name}
      about={t("one.about", { product: machine.product, project: machine.project, owner: machine.owner })}
      actions={
        <>
          <Button component={Link} to="/machines" variant="subtle">{t("new.back")}</Button>
          {rights.open && (
            <Button leftSection={<IconExternalLink size={16} aria-hidden />} loading={entrance.busy} onClick={() => { entrance.enter(id); }}>
              {t("open.tab")}
            </Button>
          )}
        </>
      }
    >
      <Entered entrance={entrance} />
      <Problem error={deeds.error} />
      <Columns>
        <Section title={t("one.state")}>
          <Stack gap="sm">
            <Group gap="xs">
              <StateBadge state={machine.state} />
              {machine.queue_place !== null && <Text size="sm">{t("one.place", { number: machine.queue_place })}</Text>}
            </Group>
            {machine.reason !== "" && <Text size="sm">{machine.reason}</Text>}
            {machine.idle_reason !== "" && <Text size="sm" c="dimmed">{machine.idle_reason}</Text>}
            <Group gap="xs">
              {rights.wake && <Button size="xs" loading={deeds.busy} onClick={() => { deeds.wake(id); }}>{t("deed.wake")}</Button>}
              {rights.hibernate && <Button size="xs" variant="default" loading={deeds.busy} onClick={() => { deeds.hibernate(id); }}>{t("deed.hibernate")}</Button>}
              {rights.stop && <Button size="xs" variant="default" onClick={() => { setAsking("stop"); }}>{t("deed.stopAsk")}</Button>}
              {rights.resize && <Button size="xs" variant="default" onClick={() => { setAsking("resize"); }}>{t("deed.resizeAsk")}</Button>}
              {rights.extend && <Button size="xs" variant="default" loading={deeds.busy} onClick={() => { deeds.extend(id); }}>{t("deed.extend")}</Button>}
              {rights.terminate && <Button size="xs" color="red" variant="light" onClick={() => { setAsking("terminate"); }}>{t("deed.terminateAsk")}</Button>}
            </Group>
          </Stack>
        </Section>
        <Section title={t("one.cost")}>
          <Facts
            rows={[
              [t("list.spent"), <Money key="spent" amount={machine.spent_eur} />],
              [t("list.price"), <Price key="price" eurPerHour={machine.eur_per_hour} />],
              [t("size.title"), machine.size],
              [t("list.uptime"), machine.uptime_seconds === null ? "–" : <Duration key="up" seconds={machine.uptime_seconds} />],
              [t("one.made"), <When key="made" at={machine.created_at} />],
              machine.terminated_at === null
                ? [t("one.until"), <When key="until" at={machine.expires_at} absolute />]
                : [t("one.ended"), <When key="ended" at={machine.terminated_at} absolute />],
            ]}
          />
        </Section>
        {operation !== null && (
          <Section title={t(`story.${operation.story as "start_workspace"}`, { defaultValue: operation.story })}>
            <OperationProgress operation={operation} />
          </Section>
        )}
        <Section title={t("mounts.title")}>
          {machine.mounts.length === 0 ? (
            <Text size="sm" c="dimmed">{t("mounts.none")}</Text>
          ) : (
            <List size="sm" spacing={4}>
              {machine.mounts.map(({ path, dataset_version, writable }) => (
                <List.Item key={path}>
                  <Code>{path}</Code> {t(writable ? "mounts.writable" : "mounts.readable")}
                  {dataset_version !== null && <Text size="xs" c="dimmed">{t("mounts.version", { version: dataset_version })}</Text>}
                </List.Item>
              ))}
            </List>
          )}
        </Section>
        <Sharing machine={machine} mayShare={rights.share} />
        <Hours machine={machine} maySet={rights.share} />
      </Columns>
      <Log id={id} />
      <Stop machine={asking === "stop" ? machine : null} deeds={deeds} onClose={close} />
      <Modal opened={asking === "resize"} onClose={close} size="lg" title={t("resize.title", { name })} closeButtonProps={{ "aria-label": t("close") }}>
        <Resize machine={machine} onDone={close} />
      </Modal>
      <Terminate machine={asking === "terminate" ? machine : null} onClose={close} />
      {machine.changing && <Alert color="blue" role="status">{t("one.changing")}</Alert>}
    </Page>
  );
}

function Facts({ rows }: { rows: readonly (readonly [string, ReactNode])[] }) {
  return (
    <Table verticalSpacing={4}>
      <Table.Tbody>
        {rows.map(([name, value]) => (
          <Table.Tr key={name}>
            <Table.Th scope="row" fw={400}>{name}</Table.Th>
            <Table.Td ta="right">{value}</Table.Td>
          </Table.Tr>
        ))}
      </Table.Tbody>
    </Table>
  );
}
