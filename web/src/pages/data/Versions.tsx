import { Code } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Bytes, Count, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";

type Version = Schema<"DatasetVersionAnswer">;

/** Every version, newest first. */
export function Versions({ name }: { name: string }) {
  const { t } = useTranslation("data");
  const asked = api.useQuery("get", "/api/v1/datasets/{name}/versions", { params: { path: { name } } });
  const columns = useMemo<Column<Version>[]>(
    () => [
      { key: "number", title: t("versions.number"), figure: true, value: ({ number }) => number, cell: ({ number }) => number },
      { key: "when", title: t("versions.when"), value: ({ committed_at }) => committed_at, cell: ({ committed_at }) => <When at={committed_at} absolute /> },
      { key: "rows", title: t("versions.rows"), figure: true, value: ({ rows_added }) => rows_added, cell: ({ rows_added }) => <Count value={rows_added} /> },
      { key: "bytes", title: t("versions.bytes"), figure: true, value: ({ bytes_added }) => bytes_added, cell: ({ bytes_added }) => <Bytes bytes={bytes_added} /> },
      { key: "tables", title: t("versions.tables"), value: ({ tables }) => tables.length, cell: ({ tables }) => tables.map(({ table }) => table).join(", ") },
      { key: "contract", title: t("versions.contract"), value: ({ contract }) => contract, cell: ({ contract }) => contract },
      { key: "delivery", title: t("versions.delivery"), hidden: true, value: ({ delivery }) => delivery, cell: ({ delivery }) => <Code>{delivery}</Code> },
    ],
    [t],
  );
  return (
    <Section title={t("tab.versions")}>
      <DataTable title={t("tab.versions")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("versions.none")}>{t("versions.teach")}</Empty>} />
    </Section>
  );
}
