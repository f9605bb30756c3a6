/** Machines on which nothing was done for long, and what each costs a day. */
import { Anchor, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { Amount } from "./words";

type Machine = Schema<"ForgottenMachine">;
const DAYS = 14;

export function Forgotten() {
  const { t } = useTranslation("costs");
  const may = useMay();
  const asked = api.useQuery("get", "/api/v1/costs/forgotten", { params: { query: { days: DAYS } } });
  const mayOpen = may("workspaces:read:own");
  const columns = useMemo<Column<Machine>[]>(
    () => [
      { key: "name", title: t("forgotten.machine"), value: ({ name }) => name, cell: ({ workspace, name, product, size }) => (
        <>
          {mayOpen ? <Anchor component={Link} to={`/machines/${workspace}`} size="sm" fw={500}>{name}</Anchor> : name}
          <Text size="xs" c="dimmed">{[product, size].join(", ")}</Text>
        </>
      ) },
      { key: "owner", title: t("by.user"), value: ({ owner }) => owner, cell: ({ owner }) => owner },
      { key: "project", title: t("by.project"), value: ({ project }) => project, cell: ({ project }) => project },
      { key: "since", title: t("forgotten.since"), value: ({ since }) => since, cell: ({ since }) => <When at={since} /> },
      { key: "eur", title: t("forgotten.day"), figure: true, value: ({ eur_per_day }) => eur_per_day, cell: ({ eur_per_day }) => <Amount eur={eur_per_day} /> },
    ],
    [t, mayOpen],
  );
  return (
    <Section title={t("tab.forgotten")}>
      <DataTable title={t("tab.forgotten")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ workspace }) => workspace} empty={<Empty title={t("forgotten.none")}>{t("forgotten.teach", { count: DAYS })}</Empty>} />
    </Section>
  );
}
