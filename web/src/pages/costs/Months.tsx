/** Months, open or closed; one that is over is closed by who may, once and for all. */
import { Anchor, Button, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useMay } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { thisMonth } from "./asked";
import { Amount, useWords } from "./words";

type Month = Schema<"CostMonth">;

export function Months() {
  const { t } = useTranslation("costs");
  const may = useMay();
  const words = useWords();
  const [closing, setClosing] = useState<Month | null>(null);
  const asked = api.useQuery("get", "/api/v1/costs/months");
  const close = api.useMutation("post", "/api/v1/costs/months/{month}/close", {
    onSuccess: async ({ month }) => {
      toast(t("months.done", { month: words.month(month) }));
      setClosing(null);
      await again();
    },
    // It may be closed by somebody else by now: show how it stands.
    onError: () => void again(),
  });
  const mayClose = may("costs:write");
  const columns = useMemo<Column<Month>[]>(
    () => [
      { key: "month", title: t("month"), value: ({ month }) => month, cell: ({ month }) => <Anchor component={Link} to={`?${new URLSearchParams({ month }).toString()}`} size="sm" fw={500}>{words.month(month)}</Anchor> },
      { key: "state", title: t("months.state"), value: ({ state }) => state, cell: ({ state }) => <StateBadge state={state} /> },
      { key: "records", title: t("records.count"), figure: true, value: ({ records }) => records, cell: ({ records }) => <Count value={records} /> },
      { key: "total", title: t("amount"), figure: true, value: ({ total_eur }) => total_eur, cell: ({ total_eur }) => <Amount eur={total_eur} /> },
      { key: "closed", title: t("months.closed"), value: ({ closed_by }) => closed_by, cell: ({ closed_by, closed_at }) => closed_by && <><Text size="sm">{closed_by}</Text><Text size="xs" c="dimmed"><When at={closed_at} absolute /></Text></> },
      ...(mayClose ? [{ key: "close", title: t("months.closeColumn"), cell: (one: Month) => one.state === "open" && one.month < thisMonth() && (
        <Button size="compact-sm" variant="default" aria-label={t("months.closeOf", { month: words.month(one.month) })} onClick={() => { close.reset(); setClosing(one); }}>{t("months.close")}</Button>
      ) }] : []),
    ],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- words follow the language, as t does
    [t, mayClose],
  );
  return (
    <Section title={t("tab.months")}>
      <Text size="sm" c="dimmed" mb="sm">{t("months.about")}</Text>
      <DataTable title={t("tab.months")} listing={complete(asked.data?.items, asked)} columns={columns} rowKey={({ month }) => month} empty={<Empty title={t("months.none")}>{t("months.teach")}</Empty>} />
      {closing !== null && (
        <Confirm
          opened
          onClose={() => { setClosing(null); }}
          title={t("months.closeOf", { month: words.month(closing.month) })}
          label={t("months.do")}
          typed={closing.month}
          busy={close.isPending}
          error={close.error}
          onConfirm={() => { close.mutate({ params: { path: { month: closing.month } } }); }}
        >
          {t("months.means")}
        </Confirm>
      )}
    </Section>
  );
}

function again(): Promise<void> {
  return refresh("/api/v1/costs/months", "/api/v1/costs", "/api/v1/costs/series", "/api/v1/costs/records");
}
