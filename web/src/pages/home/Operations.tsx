import { Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useListing, type Item } from "../../api/listing";
import { useCodeWords } from "../../parts/codes";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import classes from "./home.module.css";

type Operation = Item<"/api/v1/operations">;

export function Operations() {
  const { t } = useTranslation("home");
  const words = useCodeWords();
  const listing = useListing("/api/v1/operations", {}, { limit: 8 });
  const columns = useMemo<Column<Operation>[]>(
    () => [
      { key: "story", title: t("operations.story"), cell: ({ story, subject }) => (
        <>
          <Text size="sm" fw={500}>{words("story", story)}</Text>
          <Text size="xs" c="dimmed" className={classes.subject ?? ""}>{subject}</Text>
        </>
      ) },
      { key: "state", title: t("operations.state"), cell: ({ state, failure }) => <StateBadge state={state} reason={failure?.message ?? ""} /> },
      { key: "when", title: t("operations.when"), cell: ({ created_at }) => <When at={created_at} /> },
    ],
    [t, words],
  );
  return (
    <Section title={t("operations.title")}>
      <DataTable plain title={t("operations.title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("operations.none")}>{t("operations.teach")}</Empty>} />
    </Section>
  );
}
