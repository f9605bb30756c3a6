/** The chain computed anew on demand, and the checkpoints that were signed over it. */
import { Alert, Button, Code, Stack, Text } from "@mantine/core";
import { IconAlertTriangle, IconShieldCheck } from "@tabler/icons-react";
import { useMutation } from "@tanstack/react-query";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { api, atoll, refresh, type Schema } from "../../api/atoll";
import { complete } from "../../api/listing";
import { useFormat } from "../../app/format";
import { TONES } from "../../app/theme";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { Count, When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

type Checkpoint = Schema<"AuditCheckpoint">;

export function Chain() {
  const { t } = useTranslation("audit");
  // Asked for by hand only: each time is itself an entry.
  const verify = useMutation({
    mutationFn: async () => (await atoll.GET("/api/v1/audit/verification")).data,
    onSuccess: () => refresh("/api/v1/audit"),
  });
  return (
    <Stack gap="lg">
      <Section title={t("chain.title")} aside={<Button loading={verify.isPending} onClick={() => { verify.mutate(); }}>{t("chain.verify")}</Button>}>
        <Stack gap="sm">
          <Text size="sm" c="dimmed">{t("chain.about")}</Text>
          <Problem error={verify.error} />
          <div role="status">
            {verify.isPending && <Text size="sm">{t("chain.working")}</Text>}
            {verify.data && <Verdict check={verify.data} />}
          </div>
        </Stack>
      </Section>
      <Checkpoints />
    </Stack>
  );
}

function Verdict({ check }: { check: Schema<"ChainCheck"> }) {
  const { t } = useTranslation("audit");
  const format = useFormat();
  const { intact, entries, checkpoints, checked_to, broken_at, reason, head } = check;
  return (
    <Alert
      role="presentation"
      variant="light"
      color={TONES[intact ? "good" : "bad"]}
      icon={intact ? <IconShieldCheck aria-hidden /> : <IconAlertTriangle aria-hidden />}
      title={intact ? t("chain.intact") : t("chain.broken", { number: format.number(broken_at ?? 0) })}
    >
      <Stack gap={4}>
        {intact ? (
          <Text size="sm">{t("chain.intactText", { entries: format.number(entries), checkpoints: format.number(checkpoints), to: format.number(checked_to) })}</Text>
        ) : (
          <>
            <Text size="sm" fw={500}>{reason}</Text>
            <Text size="sm">{t("chain.brokenText")}</Text>
          </>
        )}
        <Text size="sm" component="div">{t("chain.head")} <Code>{head}</Code></Text>
      </Stack>
    </Alert>
  );
}

function Checkpoints() {
  const { t } = useTranslation("audit");
  const asked = api.useQuery("get", "/api/v1/audit/checkpoints");
  const newest = useMemo(() => asked.data?.items.toReversed(), [asked.data]);
  const columns = useMemo<Column<Checkpoint>[]>(
    () => [
      { key: "number", title: t("checkpoints.number"), figure: true, value: ({ number }) => number, cell: ({ number }) => <Count value={number} /> },
      { key: "at", title: t("checkpoints.at"), value: ({ at }) => at, cell: ({ at }) => <When at={at} absolute /> },
      { key: "hash", title: t("checkpoints.hash"), value: ({ hash }) => hash, cell: ({ hash }) => <Code>{hash}</Code> },
      { key: "key", title: t("checkpoints.key"), hidden: true, value: ({ key_id }) => key_id, cell: ({ key_id }) => key_id },
      { key: "signature", title: t("checkpoints.signature"), hidden: true, value: ({ signature }) => signature, cell: ({ signature }) => <Code>{signature}</Code> },
    ],
    [t],
  );
  return (
    <Section title={t("checkpoints.title")}>
      <Text size="sm" c="dimmed" mb="sm">{t("checkpoints.about")}</Text>
      <DataTable title={t("checkpoints.title")} listing={complete(newest, asked)} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("checkpoints.none")}>{t("checkpoints.teach")}</Empty>} />
    </Section>
  );
}
