/** A contract as words, and what a change of it does. */
import { Badge, List, Stack, Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { Schema } from "../../api/atoll";
import { DiffView } from "../../parts/DiffView";

export function Words({ explanation }: { explanation: Schema<"Explanation"> }) {
  const { t } = useTranslation("contracts");
  return (
    <Stack>
      <div>
        <Text fw={600}>{explanation.title}</Text>
        <Text size="sm">{explanation.description}</Text>
      </div>
      {explanation.tables.map((table) => (
        <div key={table.table}>
          <Title order={3}>{table.table}</Title>
          <Text size="sm" c="dimmed">{table.description}</Text>
          <Text size="sm" c="dimmed">{table.otherwise}</Text>
          <Table.ScrollContainer minWidth={480} scrollAreaProps={{ viewportProps: { tabIndex: 0, role: "region", "aria-label": table.table } }}>
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>{t("column")}</Table.Th>
                  <Table.Th>{t("treatment")}</Table.Th>
                  <Table.Th>{t("words")}</Table.Th>
                  <Table.Th>{t("because")}</Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {table.columns.map((column) => (
                  <Table.Tr key={column.source}>
                    <Table.Td>{column.source}</Table.Td>
                    <Table.Td>{column.treatment}</Table.Td>
                    <Table.Td>{column.words}</Table.Td>
                    <Table.Td>{column.reason}</Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          </Table.ScrollContainer>
        </div>
      ))}
    </Stack>
  );
}

export function Changes({ comparison }: { comparison: Schema<"ComparisonAnswer"> }) {
  const { t } = useTranslation("contracts");
  return (
    <Stack>
      {comparison.changes.length === 0 ? (
        <Text size="sm">{t("noChange")}</Text>
      ) : (
        <List size="sm" spacing="xs">
          {comparison.changes.map((change, index) => (
            <List.Item key={index}>
              <Text span size="sm" fw={500}>{[change.table, change.column].filter(Boolean).join(".") || t("whole")}</Text>{" "}
              <Text span size="sm">{t(`kind.${change.kind}`)}</Text>{" "}
              {change.opens && <Badge color="red" variant="light" tt="none">{t("opens")}</Badge>}
              {change.before && <Text size="sm" c="dimmed">{t("was", { text: change.before })}</Text>}
              {change.after && <Text size="sm">{t("is", { text: change.after })}</Text>}
            </List.Item>
          ))}
        </List>
      )}
      {comparison.lines !== "" && <DiffView title={t("lines")} diff={comparison.lines} />}
    </Stack>
  );
}
