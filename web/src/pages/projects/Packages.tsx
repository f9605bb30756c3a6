/** Every package file that went into the project's machines, with what it was by its hash. */
import { Anchor, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Bytes, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import classes from "./projects.module.css";

type Package = Item<"/api/v1/projects/{name}/packages">;

export function Packages({ name }: { name: string }) {
  const { t } = useTranslation("projects");
  const may = useMay();
  const listing = useListing("/api/v1/projects/{name}/packages", { path: { name } });
  const machines = may("workspaces:read");
  const columns = useMemo<Column<Package>[]>(
    () => [
      { key: "when", title: t("packages.when"), sort: "at", value: ({ at }) => at, cell: ({ at }) => <When at={at} /> },
      {
        key: "package",
        title: t("packages.package"),
        sort: "package",
        value: ({ package: named, version, file }) => [named, version, file].join(" "),
        cell: ({ package: named, version, file }) => (
          <>
            <Text size="sm" fw={500} className={classes.told}>{[named || file, version].filter(Boolean).join(" ")}</Text>
            {named !== "" && <Text size="xs" c="dimmed" className={classes.told}>{file}</Text>}
          </>
        ),
      },
      { key: "ecosystem", title: t("packages.from"), sort: "ecosystem", value: ({ ecosystem }) => ecosystem, cell: ({ ecosystem }) => ecosystem },
      { key: "who", title: t("packages.who"), sort: "login", value: ({ login }) => login, cell: ({ login }) => login },
      { key: "machine", title: t("packages.machine"), sort: "workspace", hidden: true, value: ({ workspace }) => workspace, cell: ({ workspace }) => (machines ? <Anchor component={Link} to={`/machines/${workspace}`} size="sm">{workspace}</Anchor> : workspace) },
      { key: "size", title: t("packages.size"), sort: "bytes", figure: true, value: ({ bytes }) => bytes, cell: ({ bytes }) => <Bytes bytes={bytes} /> },
      { key: "verified", title: t("packages.verified"), sort: "verified", value: ({ verified }) => t(verified ? "yes" : "no"), cell: ({ verified }) => t(verified ? "yes" : "no") },
      { key: "sha256", title: t("packages.hash"), hidden: true, value: ({ sha256 }) => sha256, cell: ({ sha256 }) => <Text size="xs" ff="monospace" className={classes.told}>{sha256}</Text> },
    ],
    [t, machines],
  );
  return (
    <Section title={t("packages.title")}>
      <DataTable title={t("packages.title")} listing={listing} columns={columns} rowKey={({ at, workspace, file }) => `${at}/${workspace}/${file}`} empty={<Empty title={t("packages.none")}>{t("packages.teach")}</Empty>} />
    </Section>
  );
}
