/** What the platform shows of a file, as plain data; nothing of it is taken for markup. */
import { Skeleton, Stack, Table, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { Empty } from "../../parts/Empty";
import { Problem } from "../../parts/Problem";
import classes from "./airlock.module.css";
import type { AirlockFile } from "./request";

export function Preview({ id, file: { index, sha256 } }: { id: string; file: AirlockFile }) {
  const { t } = useTranslation("airlock");
  // Each look is on record, so it is not asked for again by itself.
  const asked = api.useQuery("get", "/api/v1/airlock-requests/{id}/files/{index}/preview", { params: { path: { id, index } } }, { staleTime: Infinity, refetchOnWindowFocus: false });
  if (asked.error !== null) return <Problem error={asked.error} onRetry={() => void asked.refetch()} />;
  if (asked.data === undefined) return <Skeleton h={200} />;
  const { kind, text, image, tables, cut } = asked.data;
  return (
    <Stack gap="sm">
      <Text size="sm" c="dimmed">{t("look.recorded")}</Text>
      <div className={classes.hash}>{sha256}</div>
      {kind === "none" && <Empty title={t("look.none")}>{t("look.noneTeach")}</Empty>}
      {kind === "image" && <img className={classes.picture} src={`data:image/png;base64,${image}`} alt={t("look.picture")} />}
      {kind === "text" && (
        // A region that scrolls is reached by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <div className={classes.preview} role="region" aria-label={t("look.text")} tabIndex={0}>
          <pre>{text}</pre>
        </div>
      )}
      {tables.map((table, number) => (
        <Shown key={`${number}/${table.title}`} table={table} />
      ))}
      {cut && <Text size="sm" c="dimmed">{t("look.cut")}</Text>}
    </Stack>
  );
}

function Shown({ table: { title, columns, rows, total_rows } }: { table: Schema<"PreviewTable"> }) {
  const { t } = useTranslation("airlock");
  return (
    <div>
      <Text size="sm" fw={500} className={classes.told}>{t("look.table", { title, rows: total_rows })}</Text>
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls is reached by keyboard */}
      <div className={classes.preview} role="region" aria-label={t("look.rows", { title })} tabIndex={0}>
        <Table verticalSpacing={2} striped>
          <Table.Thead>
            <Table.Tr>
              {columns.map((name, at) => <Table.Th key={`${at}/${name}`} scope="col">{name}</Table.Th>)}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {rows.map((row, at) => (
              <Table.Tr key={at}>
                {row.map((value, column) => <Table.Td key={column}>{value}</Table.Td>)}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </div>
    </div>
  );
}
