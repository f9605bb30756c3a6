import { Group, List, Skeleton, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useListing } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

/** What somebody else asked for and one may decide. */
export function Reviews() {
  const { t } = useTranslation("home");
  const may = useMay();
  const { login } = useSession();
  const proposals = useListing("/api/v1/contract-proposals", { query: { state: "waiting" } }, { enabled: may("contracts:write") });
  const airlock = useListing("/api/v1/airlock-requests", { query: { to_review: true } }, { enabled: may("airlock:review") });
  const waiting = [
    ...proposals.rows
      .filter(({ proposed_by }) => proposed_by !== login)
      .map(({ id, dataset, proposed_by, proposed_at, state }) => ({ id, state, text: t("reviews.contract", { name: dataset, by: proposed_by }), at: proposed_at })),
    ...airlock.rows.map(({ id, project, requester, submitted_at, state }) => ({ id, state, text: t("reviews.airlock", { name: project, by: requester }), at: submitted_at })),
  ];
  return (
    <Section title={t("reviews.title")}>
      <Problem error={proposals.error ?? airlock.error} onRetry={proposals.error ? proposals.retry : airlock.retry} />
      {proposals.loading || airlock.loading ? (
        <Skeleton h={60} />
      ) : waiting.length === 0 ? (
        <Empty title={t("reviews.none")}>{t("reviews.teach")}</Empty>
      ) : (
        <List listStyleType="none" spacing="xs">
          {waiting.map((one) => (
            <List.Item key={one.id}>
              <Group gap="xs">
                <StateBadge state={one.state} />
                <Text size="sm">{one.text}</Text>
                <Text size="sm" c="dimmed"><When at={one.at} /></Text>
              </Group>
            </List.Item>
          ))}
        </List>
      )}
    </Section>
  );
}
