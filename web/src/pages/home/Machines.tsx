import { Anchor, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Sum } from "../../parts/Figures";
import { Price } from "../../parts/Price";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

type Machine = Item<"/api/v1/workspaces">;

export function Machines() {
  const { t } = useTranslation("home");
  const may = useMay();
  const listing = useListing("/api/v1/workspaces", {}, { limit: 10 });
  const columns = useMemo<Column<Machine>[]>(
    () => [
      { key: "name", title: t("machines.name"), cell: ({ id, name, project, size }) => (
        <>
          <Anchor component={Link} to={`/machines/${id}`} size="sm" fw={500}>{name}</Anchor>
          <Text size="xs" c="dimmed">{[project, size].join(" · ")}</Text>
        </>
      ) },
      { key: "state", title: t("machines.state"), cell: ({ state, reason }) => <StateBadge state={state} reason={reason} /> },
      { key: "price", title: t("machines.price"), figure: true, cell: ({ eur_per_hour }) => <Price eurPerHour={eur_per_hour} /> },
      { key: "spent", title: t("machines.spent"), figure: true, cell: ({ spent_eur }) => <Sum amount={spent_eur} /> },
    ],
    [t],
  );
  return (
    <Section title={may("workspaces:read") ? t("machines.all") : t("machines.title")} aside={<Anchor component={Link} to="/machines" size="sm">{t("all")}</Anchor>}>
      <DataTable
        plain
        title={t("machines.title")}
        listing={listing}
        columns={columns}
        rowKey={({ id }) => id}
        empty={<Empty title={t("machines.none")}>{t(may("workspaces:run") ? "machines.teach" : "machines.teachOthers")}</Empty>}
      />
    </Section>
  );
}
