/** The single usage records behind a figure, and their correction by who may. */
import { Anchor, Button, Modal, Stack, Text, Textarea, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { useMay } from "../../app/session";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";
import type { Filter } from "./asked";
import { Amount, useWords } from "./words";

type Usage = Item<"/api/v1/costs/records">;

/** Where what caused it is shown; only of what one may open. */
function usePlaceOf(): (because: string) => string | undefined {
  const may = useMay();
  return (because) => {
    const [kind, id] = because.split("/", 2);
    if (id === undefined) return undefined;
    if (kind === "query" && may("queries:read:own")) return `/sql?${new URLSearchParams({ query: id }).toString()}`;
    if (kind === "workspace" && may("workspaces:read:own")) return `/machines/${id}`;
    return undefined;
  };
}

export function Records({ month, filter }: { month: string; filter: Filter }) {
  const { t } = useTranslation("costs");
  const may = useMay();
  const words = useWords();
  const placeOf = usePlaceOf();
  const [wrong, setWrong] = useState<Usage | null>(null);
  const listing = useListing("/api/v1/costs/records", { query: { month, ...filter } });
  const mayCorrect = may("costs:write");
  const columns = useMemo<Column<Usage>[]>(
    () => [
      { key: "at", title: t("records.at"), sort: "at", value: ({ at }) => at, cell: ({ at }) => <When at={at} absolute /> },
      { key: "metric", title: t("by.metric"), sort: "metric", value: ({ metric }) => words.metric(metric), cell: ({ metric, corrects, reason }) => (
        <>
          {words.metric(metric)}
          {corrects && <Text size="xs" c="dimmed">{t("records.corrects", { id: corrects, reason })}</Text>}
        </>
      ) },
      { key: "user", title: t("by.user"), sort: "user", value: ({ user }) => user, cell: ({ user }) => user },
      { key: "project", title: t("by.project"), sort: "project", value: ({ project }) => project, cell: ({ project }) => project ?? "–" },
      { key: "dataset", title: t("by.dataset"), sort: "dataset", hidden: true, value: ({ dataset }) => dataset, cell: ({ dataset }) => dataset ?? "–" },
      { key: "product", title: t("by.product"), sort: "product", hidden: true, value: ({ product }) => product, cell: ({ product }) => product ?? "–" },
      { key: "quantity", title: t("records.quantity"), sort: "quantity", figure: true, value: ({ quantity }) => quantity, cell: ({ metric, quantity }) => <span className="tabular" title={quantity}>{words.quantity(metric, quantity)}</span> },
      { key: "amount", title: t("amount"), sort: "amount_eur", figure: true, value: ({ amount_eur }) => amount_eur, cell: ({ amount_eur }) => <Amount eur={amount_eur} /> },
      { key: "because", title: t("records.because"), sort: "because", value: ({ because }) => because, cell: ({ because }) => {
        const place = placeOf(because);
        return place === undefined ? <Text size="xs" className="whole">{because}</Text> : <Anchor component={Link} to={place} size="xs">{because}</Anchor>;
      } },
      { key: "id", title: t("records.id"), hidden: true, value: ({ id }) => id, cell: ({ id }) => id },
      ...(mayCorrect ? [{ key: "correct", title: t("correct.column"), cell: (one: Usage) => !one.corrects && (
        <Button size="compact-xs" variant="default" aria-label={t("correct.of", { id: one.id })} onClick={() => { setWrong(one); }}>{t("correct.open")}</Button>
      ) }] : []),
    ],
    // eslint-disable-next-line react-hooks/exhaustive-deps -- words and places follow the language and the session
    [t, mayCorrect],
  );
  return (
    <Section title={t("records.title")}>
      <DataTable title={t("records.title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("records.none")}>{t("records.teach")}</Empty>} />
      <Modal opened={wrong !== null} onClose={() => { setWrong(null); }} title={t("correct.title")} closeButtonProps={{ "aria-label": t("close") }}>
        {wrong !== null && <Correct month={month} wrong={wrong} onDone={() => { setWrong(null); }} />}
      </Modal>
    </Section>
  );
}

function Correct({ month, wrong, onDone }: { month: string; wrong: Usage; onDone: () => void }) {
  const { t } = useTranslation("costs");
  const words = useWords();
  const [quantity, setQuantity] = useState("");
  const [reason, setReason] = useState("");
  const correct = api.useMutation("post", "/api/v1/costs/corrections", {
    onSuccess: async ({ amount_eur }) => {
      toast(t("correct.done", { eur: amount_eur }));
      onDone();
      await refresh("/api/v1/costs", "/api/v1/costs/series", "/api/v1/costs/records", "/api/v1/costs/months", "/api/v1/budgets");
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        correct.mutate({ body: { month, record: wrong.id, quantity: quantity.trim(), reason: reason.trim() } });
      }}
    >
      <Stack>
        <Text size="sm">{t("correct.what", { metric: words.metric(wrong.metric), quantity: wrong.quantity, user: wrong.user })}</Text>
        <TextInput label={t("correct.quantity")} description={t("correct.quantityHelp")} required inputMode="decimal" pattern="\d+(\.\d+)?" value={quantity} onChange={(event) => { setQuantity(event.currentTarget.value); }} data-autofocus />
        <Textarea label={t("correct.reason")} description={t("correct.reasonHelp")} required maxLength={1000} autosize minRows={2} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} />
        <Problem error={correct.error} />
        <Button type="submit" loading={correct.isPending}>{t("correct.do")}</Button>
      </Stack>
    </form>
  );
}
