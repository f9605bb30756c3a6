/** Machines: mine and those shared with me, or all for those who look after them. */
import { ActionIcon, Anchor, Button, Checkbox, Group, Menu, Text } from "@mantine/core";
import { IconDots, IconExternalLink, IconPlus } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import { useListing } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Duration, Money } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { useDeeds, useEntrance, useRights, type Machine, type Rights } from "./deeds";
import { Entered } from "./Entered";
import { Price } from "../../parts/Price";
import { Stop, Terminate } from "./Terminate";

export function Component() {
  const { t } = useTranslation("machines");
  const may = useMay();
  const { login } = useSession();
  const [search, setSearch] = useSearchParams();
  const ended = search.get("ended") === "true";
  const listing = useListing("/api/v1/workspaces", { query: { ended } }, { inAddress: true });
  const rights = useRights();
  const deeds = useDeeds();
  const entrance = useEntrance();
  const [ending, setEnding] = useState<Machine | null>(null);
  const [stopping, setStopping] = useState<Machine | null>(null);
  const all = may("workspaces:read");
  const canLaunch = may("workspaces:run");

  const columns = useMemo<Column<Machine>[]>(
    () => [
      {
        key: "name",
        title: t("list.name"),
        sort: "name",
        value: ({ name }) => name,
        cell: ({ id, name, product, size }) => (
          <>
            <Anchor component={Link} to={`/machines/${id}`} size="sm" fw={500}>{name}</Anchor>
            <Text size="xs" c="dimmed">{[product, size].join(" · ")}</Text>
          </>
        ),
      },
      { key: "project", title: t("list.project"), sort: "project", value: ({ project }) => project, cell: ({ project }) => project },
      {
        key: "owner",
        title: t("list.owner"),
        sort: "owner",
        value: ({ owner }) => owner,
        hidden: !all,
        cell: ({ owner }) => (owner === login ? t("list.mine") : owner),
      },
      { key: "state", title: t("list.state"), sort: "state", value: ({ state }) => state, cell: ({ state, reason }) => <StateBadge state={state} reason={reason} /> },
      { key: "idle", title: t("list.idle"), sort: "idle_reason", value: ({ idle_reason }) => idle_reason, cell: ({ idle_reason }) => <Text size="xs" maw="16rem">{idle_reason || "–"}</Text> },
      {
        key: "uptime",
        title: t("list.uptime"),
        sort: "uptime_seconds",
        figure: true,
        value: ({ uptime_seconds }) => uptime_seconds,
        cell: ({ uptime_seconds }) => (uptime_seconds === null ? "–" : <Duration seconds={uptime_seconds} />),
      },
      { key: "price", title: t("list.price"), sort: "eur_per_hour", figure: true, value: ({ eur_per_hour }) => Number(eur_per_hour), cell: ({ eur_per_hour }) => <Price eurPerHour={eur_per_hour} /> },
      { key: "spent", title: t("list.spent"), sort: "spent_eur", figure: true, value: ({ spent_eur }) => Number(spent_eur), cell: ({ spent_eur }) => <Money amount={spent_eur} /> },
      {
        key: "deeds",
        title: t("list.deeds"),
        cell: (machine) => <Deeds machine={machine} rights={rights(machine)} deeds={deeds} onEnter={entrance.enter} onEnd={setEnding} onStop={setStopping} />,
      },
    ],
    [t, all, login, rights, deeds, entrance.enter],
  );

  return (
    <Page
      title={t(all ? "list.all" : "list.title")}
      about={t("list.about")}
      actions={
        canLaunch && (
          <Button component={Link} to="/machines/new" leftSection={<IconPlus size={16} aria-hidden />}>
            {t("list.launch")}
          </Button>
        )
      }
    >
      <Problem error={deeds.error} />
      <Entered entrance={entrance} />
      <Section title={t("list.rows")}>
        <DataTable
          title={t("list.rows")}
          listing={listing}
          columns={columns}
          rowKey={({ id }) => id}
          filters={
            <Checkbox
              label={t("list.ended")}
              checked={ended}
              onChange={(event) => {
                setSearch(event.currentTarget.checked ? { ended: "true" } : {}, { replace: true });
              }}
            />
          }
          empty={
            <Empty
              title={t("list.none")}
              action={canLaunch && <Button component={Link} to="/machines/new" variant="light" mt="xs">{t("list.first")}</Button>}
            >
              {t(canLaunch ? "list.teach" : "list.teachOthers")}
            </Empty>
          }
        />
      </Section>
      <Stop machine={stopping} deeds={deeds} onClose={() => { setStopping(null); }} />
      <Terminate machine={ending} onClose={() => { setEnding(null); }} />
    </Page>
  );
}

interface DeedsProps {
  machine: Machine;
  rights: Rights;
  deeds: ReturnType<typeof useDeeds>;
  onEnter: (id: string) => void;
  onEnd: (machine: Machine) => void;
  onStop: (machine: Machine) => void;
}

function Deeds({ machine, rights, deeds, onEnter, onEnd, onStop }: DeedsProps) {
  const { t } = useTranslation("machines");
  const { id, name } = machine;
  const some = rights.wake || rights.hibernate || rights.stop || rights.extend || rights.terminate;
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      {rights.open && (
        <Button
          size="compact-sm"
          variant="light"
          leftSection={<IconExternalLink size={14} aria-hidden />}
          aria-label={t("open.one", { name })}
          onClick={() => { onEnter(id); }}
        >
          {t("open.label")}
        </Button>
      )}
      {some && (
        <Menu position="bottom-end">
          <Menu.Target>
            <ActionIcon variant="subtle" color="gray" aria-label={t("list.more", { name })} loading={deeds.busy}>
              <IconDots size={18} aria-hidden />
            </ActionIcon>
          </Menu.Target>
          <Menu.Dropdown>
            {rights.wake && <Menu.Item onClick={() => { deeds.wake(id); }}>{t("deed.wake")}</Menu.Item>}
            {rights.hibernate && <Menu.Item onClick={() => { deeds.hibernate(id); }}>{t("deed.hibernate")}</Menu.Item>}
            {rights.stop && <Menu.Item onClick={() => { onStop(machine); }}>{t("deed.stopAsk")}</Menu.Item>}
            {rights.extend && <Menu.Item onClick={() => { deeds.extend(id); }}>{t("deed.extend")}</Menu.Item>}
            {rights.terminate && <Menu.Item color="red" onClick={() => { onEnd(machine); }}>{t("deed.terminateAsk")}</Menu.Item>}
          </Menu.Dropdown>
        </Menu>
      )}
    </Group>
  );
}
