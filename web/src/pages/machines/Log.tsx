import { Button, Code, ScrollArea, Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { useCodeWords } from "../../parts/codes";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

/** What was done to the machine, live; and for those inside, what it printed. */
export function Log({ id }: { id: string }) {
  const { t } = useTranslation("machines");
  const asked = api.useQuery("get", "/api/v1/workspaces/{id}/log", { params: { path: { id } } });
  return (
    <Section
      title={t("log.title")}
      aside={<Button size="xs" variant="default" loading={asked.isFetching} onClick={() => void asked.refetch()}>{t("log.again")}</Button>}
    >
      {asked.data === undefined ? (
        asked.error === null ? <Skeleton h={120} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Stack gap="md">
          {asked.data.lines.length === 0 ? <Text size="sm" c="dimmed">{t("log.none")}</Text> : (
            <div>
              <Title order={3} size="h5" mb={4}>{t("log.lines")}</Title>
              <Lines lines={asked.data.lines} />
            </div>
          )}
          {asked.data.output !== null && (
            <div>
              <Title order={3} size="h5" mb={4}>{t("log.output")}</Title>
              <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0, role: "region", "aria-label": t("log.output") }}>
                <Code block>{asked.data.output === "" ? t("log.silent") : asked.data.output}</Code>
              </ScrollArea.Autosize>
            </div>
          )}
        </Stack>
      )}
    </Section>
  );
}

function Lines({ lines }: { lines: readonly Schema<"WorkspaceLineAnswer">[] }) {
  const { t } = useTranslation("machines");
  const told = useTold();
  return (
    <ScrollArea.Autosize mah={320} viewportProps={{ tabIndex: 0, role: "region", "aria-label": t("log.lines") }}>
      <Table verticalSpacing={4}>
        <Table.Tbody>
          {lines.map((line, index) => (
            <Table.Tr key={`${line.operation} ${index}`}>
              <Table.Td w={190}><Text size="xs" c="dimmed"><When at={line.at} absolute /></Text></Table.Td>
              <Table.Td><Text size="sm">{told(line.body)}</Text></Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </ScrollArea.Autosize>
  );
}

/** The sentence of a line, and its facts. */
function useTold(): (body: Record<string, unknown>) => string {
  const { t } = useTranslation("machines");
  const words = useCodeWords();
  return ({ message, ...facts }) => {
    const said = (name: string, value: unknown) =>
      typeof value === "boolean" ? words("fact", value ? "yes" : "no") : typeof value !== "string" ? JSON.stringify(value) : name === "step" ? words("step", value) : value;
    const more = Object.entries(facts).map(([name, value]) => t("log.fact", { name: words("fact", name), value: said(name, value) }));
    return [typeof message === "string" ? message : "", ...more].filter((one) => one !== "").join(" · ");
  };
}
