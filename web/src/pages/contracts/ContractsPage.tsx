/** Contracts in force, and proposals that wait for a review. */
import { Anchor, Button } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Section } from "../../parts/Section";

type Contract = Item<"/api/v1/contracts">;
type Proposal = Item<"/api/v1/contract-proposals">;

export function Component() {
  const { t } = useTranslation("contracts");
  const may = useMay();
  const contracts = useListing("/api/v1/contracts");
  const proposals = useListing("/api/v1/contract-proposals", { query: { state: "waiting" } });
  const inForce = useMemo<Column<Contract>[]>(
    () => [
      { key: "dataset", title: t("dataset"), value: ({ dataset }) => dataset, cell: ({ dataset }) => <Anchor component={Link} size="sm" fw={500} to={`/contracts/${dataset}`}>{dataset}</Anchor> },
      { key: "number", title: t("number"), figure: true, value: ({ number }) => number, cell: ({ number }) => <Count value={number} /> },
      { key: "proposed", title: t("proposedBy"), value: ({ proposed_by }) => proposed_by, cell: ({ proposed_by }) => proposed_by },
      { key: "published", title: t("publishedBy"), value: ({ published_by }) => published_by, cell: ({ published_by }) => published_by },
      { key: "when", title: t("when"), value: ({ published_at }) => published_at, cell: ({ published_at }) => <When at={published_at} /> },
    ],
    [t],
  );
  const waiting = useMemo<Column<Proposal>[]>(
    () => [
      { key: "dataset", title: t("dataset"), cell: ({ id, dataset }) => <Anchor component={Link} size="sm" fw={500} to={`/contracts/proposals/${id}`}>{dataset}</Anchor> },
      { key: "note", title: t("note"), cell: ({ note }) => note },
      { key: "by", title: t("proposedBy"), cell: ({ proposed_by }) => proposed_by },
      { key: "when", title: t("when"), cell: ({ proposed_at }) => <When at={proposed_at} /> },
    ],
    [t],
  );
  return (
    <Page title={t("title")} about={t("about")} actions={may("contracts:write") && <Button component={Link} to="/contracts/new">{t("new")}</Button>}>
      <Section title={t("waiting")}>
        <DataTable plain title={t("waiting")} listing={proposals} columns={waiting} rowKey={({ id }) => id} empty={<Empty title={t("noneWaiting")}>{t("teachWaiting")}</Empty>} />
      </Section>
      <Section title={t("inForce")}>
        <DataTable title={t("inForce")} listing={contracts} columns={inForce} rowKey={({ id }) => id} empty={<Empty title={t("none")}>{t("teach")}</Empty>} />
      </Section>
    </Page>
  );
}
