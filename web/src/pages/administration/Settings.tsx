import { Badge, Code, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { complete, type Item } from "../../api/listing";
import { DataTable, type Column } from "../../parts/DataTable";
import { Section } from "../../parts/Section";

type Setting = Item<"/api/v1/settings">;

/** Every setting as it is in force. They are changed where the platform is started, not here. */
export function Settings() {
  const { t } = useTranslation("administration");
  const asked = api.useQuery("get", "/api/v1/settings");
  const columns = useMemo<Column<Setting>[]>(
    () => [
      { key: "name", title: t("settings.name"), value: ({ name, help }) => `${name} ${help}`, cell: ({ name, help }) => (
        <>
          <Code>{`ATOLL_${name.toUpperCase()}`}</Code>
          <Text size="xs" c="dimmed" maw="34rem">{help.replaceAll("`", "")}</Text>
        </>
      ) },
      { key: "value", title: t("settings.value"), value: ({ value }) => value, cell: ({ value, secret }) =>
        secret ? <Badge variant="light" color="gray" tt="none">{t(value === "set" ? "settings.set" : "settings.notSet")}</Badge> : value === "" ? <Text size="sm" c="dimmed">{t("settings.empty")}</Text> : <Code>{value}</Code> },
    ],
    [t],
  );
  return (
    <Section title={t("section.settings")}>
      <Text size="sm" c="dimmed" mb="xs">{t("settings.about")}</Text>
      <DataTable title={t("section.settings")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ name }) => name} empty={null} />
    </Section>
  );
}
