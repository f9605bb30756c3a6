import { Anchor, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useListing, type Item } from "../../api/listing";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

type Delivery = Item<"/api/v1/deliveries">;

/** The newest deliveries: what came, how it stands, what is held for somebody to look at. */
export function Deliveries() {
  const { t } = useTranslation("home");
  const listing = useListing("/api/v1/deliveries", {}, { limit: 8 });
  const columns = useMemo<Column<Delivery>[]>(
    () => [
      { key: "dataset", title: t("deliveries.dataset"), cell: ({ id, dataset, source }) => (
        <>
          <Anchor component={Link} to={`/deliveries/${id}`} size="sm" fw={500}>{dataset}</Anchor>
          <Text size="xs" c="dimmed">{source}</Text>
        </>
      ) },
      { key: "state", title: t("deliveries.state"), cell: ({ state, operation, rejection }) => <StateBadge state={state} reason={rejection?.reason ?? operation?.failure?.message ?? ""} /> },
      { key: "held", title: t("deliveries.held"), figure: true, cell: ({ outcome }) => (outcome === null ? "–" : <Count value={outcome.rows_quarantined} />) },
      { key: "when", title: t("deliveries.when"), cell: ({ opened_at }) => <When at={opened_at} /> },
    ],
    [t],
  );
  return (
    <Section title={t("deliveries.title")} aside={<Anchor component={Link} to="/deliveries" size="sm">{t("all")}</Anchor>}>
      <DataTable plain title={t("deliveries.title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("deliveries.none")}>{t("deliveries.teach")}</Empty>} />
    </Section>
  );
}
