/** What came, by source, dataset and state, and where its rows went. */
import { Anchor, Select, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link, useSearchParams } from "react-router";
import type { Schema } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { FilterText } from "./FilterText";

type Delivery = Item<"/api/v1/deliveries">;
type State = Schema<"DeliveryState">;
const STATES: readonly State[] = ["receiving", "waiting", "admitting", "committed", "held", "rejected", "failed"];

export function Component() {
  const { t } = useTranslation("deliveries");
  const { t: common } = useTranslation("common");
  const [search, setSearch] = useSearchParams();
  const set = (name: string, value: string | null) => {
    setSearch((now) => {
      if (value === null || value === "") now.delete(name);
      else now.set(name, value);
      return now;
    }, { replace: true });
  };
  const [source, dataset] = [search.get("source") ?? "", search.get("dataset") ?? ""];
  const state = STATES.find((one) => one === search.get("state"));
  const listing = useListing("/api/v1/deliveries", {
    query: { ...(source && { source }), ...(dataset && { dataset }), ...(state && { state }) },
  }, { inAddress: true });
  const columns = useMemo<Column<Delivery>[]>(
    () => [
      {
        key: "dataset",
        title: t("dataset"),
        sort: "dataset",
        value: ({ dataset: name }) => name,
        cell: ({ id, dataset: name }) => <Anchor component={Link} to={`/deliveries/${id}`} size="sm" fw={500}>{name}</Anchor>,
      },
      { key: "source", title: t("source"), sort: "source", value: (one) => one.source, cell: (one) => one.source },
      { key: "state", title: t("state"), sort: "state", value: (one) => one.state, cell: (one) => <StateBadge state={one.state} reason={one.rejection?.reason ?? one.operation?.failure?.message ?? ""} /> },
      { key: "files", title: t("files"), sort: "files", figure: true, value: ({ files }) => files.length, cell: ({ files }) => <Count value={files.length} /> },
      { key: "in", title: t("rowsIn"), sort: "rows_in", figure: true, value: ({ outcome }) => outcome?.rows_in, cell: ({ outcome }) => outcome !== null && <Count value={outcome.rows_in} /> },
      { key: "committed", title: t("committed"), sort: "rows_committed", figure: true, value: ({ outcome }) => outcome?.rows_committed, cell: ({ outcome }) => outcome !== null && <Count value={outcome.rows_committed} /> },
      { key: "held", title: t("held"), sort: "rows_quarantined", figure: true, value: ({ outcome }) => outcome?.rows_quarantined, cell: ({ outcome }) => outcome !== null && <Count value={outcome.rows_quarantined} /> },
      { key: "when", title: t("when"), sort: "opened_at", value: ({ opened_at }) => opened_at, cell: ({ opened_at }) => <When at={opened_at} /> },
    ],
    [t],
  );
  return (
    <Page title={t("title")} about={t("about")}>
      <Section title={t("list")}>
        <Stack gap="xs">
          <Text size="sm" c="dimmed">{t("counts")}</Text>
          <DataTable
            title={t("title")}
            listing={listing}
            columns={columns}
            rowKey={({ id }) => id}
            empty={<Empty title={t("none")}>{t("teach")}</Empty>}
            filters={
              <>
                <FilterText label={t("source")} value={source} onChange={(value) => { set("source", value); }} />
                <FilterText label={t("dataset")} value={dataset} onChange={(value) => { set("dataset", value); }} />
                <Select
                  aria-label={t("state")}
                  placeholder={t("state")}
                  clearable
                  clearButtonProps={{ "aria-label": t("anyState") }}
                  value={state ?? null}
                  onChange={(value) => { set("state", value); }}
                  data={STATES.map((value) => ({ value, label: common(`state.${value}`) }))}
                />
              </>
            }
          />
        </Stack>
      </Section>
    </Page>
  );
}
