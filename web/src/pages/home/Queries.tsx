import { Anchor, Code, Group, Select } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { useSession } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import classes from "./home.module.css";

type Query = Item<"/api/v1/queries">;

export function Queries() {
  const { t } = useTranslation("home");
  const { projects } = useSession();
  const [chosen, setChosen] = useState(projects[0]?.name ?? "");
  if (projects.length === 0) {
    return (
      <Section title={t("queries.title")}>
        <Empty title={t("queries.noProject")}>{t("queries.noProjectTeach")}</Empty>
      </Section>
    );
  }
  const choice = projects.length > 1 && (
    <Select
      aria-label={t("queries.project")}
      size="xs"
      allowDeselect={false}
      data={projects.map(({ name, title }) => ({ value: name, label: title }))}
      value={chosen}
      onChange={(name) => { setChosen(name ?? chosen); }}
    />
  );
  return (
    <Section title={t("queries.title")} aside={<Group gap="sm">{choice}<Anchor component={Link} to="/sql" size="sm">{t("queries.ask")}</Anchor></Group>}>
      <OfProject key={chosen} project={chosen} />
    </Section>
  );
}

function OfProject({ project }: { project: string }) {
  const { t } = useTranslation("home");
  const listing = useListing("/api/v1/queries", { query: { project } }, { limit: 5 });
  const columns = useMemo<Column<Query>[]>(
    () => [
      { key: "sql", title: t("queries.sql"), cell: ({ id, sql }) => <Anchor component={Link} to={`/sql?query=${id}`}><Code className={classes.sql ?? ""} title={sql}>{sql}</Code></Anchor> },
      { key: "state", title: t("queries.state"), cell: ({ state, error }) => <StateBadge state={state} reason={error} /> },
      { key: "rows", title: t("queries.rows"), figure: true, cell: ({ rows }) => (rows === null ? "–" : <Count value={rows} />) },
      { key: "when", title: t("queries.when"), cell: ({ started_at }) => <When at={started_at} /> },
    ],
    [t],
  );
  return (
    <DataTable plain title={t("queries.title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("queries.none")}>{t("queries.teach")}</Empty>} />
  );
}
