import { Anchor, Group, List, Skeleton, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useListing } from "../../api/listing";
import { useMay, useSession } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";

interface Waiting {
  id: string;
  state: string;
  text: string;
  at: string | null;
  to: string;
}

/** What one may decide: what others asked for, and deliveries whose admission failed. Oldest first. */
function useWaiting() {
  const { t } = useTranslation("home");
  const may = useMay();
  const { login } = useSession();
  const proposals = useListing("/api/v1/contract-proposals", { query: { state: "waiting" } }, { enabled: may("contracts:write") });
  const grants = useListing("/api/v1/grant-requests", { query: { waiting: true } }, { enabled: may("grants:write") });
  const airlock = useListing("/api/v1/airlock-requests", { query: { to_review: true } }, { enabled: may("airlock:review") });
  const openings = useListing("/api/v1/openings", {}, { enabled: may("openings:read:own") });
  const failed = useListing("/api/v1/deliveries", { query: { state: "failed" } }, { enabled: may("deliveries:decide") });
  const rows: Waiting[] = [
    ...proposals.rows
      .filter(({ proposed_by }) => proposed_by !== login)
      .map(({ id, dataset, proposed_by, proposed_at, state }) => ({ id, state, at: proposed_at, to: `/contracts/proposals/${id}`, text: t("reviews.contract", { name: dataset, by: proposed_by }) })),
    ...grants.rows
      .filter(({ requested_by }) => requested_by !== login)
      .map(({ id, dataset, project, requested_by, requested_at, state }) => ({ id, state, at: requested_at, to: `/projects/${project}`, text: t("reviews.grant", { name: dataset, project, by: requested_by }) })),
    ...airlock.rows.map(({ id, project, requester, submitted_at, state }) => ({ id, state, at: submitted_at, to: `/airlock/${id}`, text: t("reviews.airlock", { name: project, by: requester }) })),
    ...openings.rows
      .filter(({ state, asked_by, recipient }) => (state === "waiting" ? asked_by !== login && recipient !== login : state === "approved" && recipient === login))
      .map(({ id, dataset, asked_by, asked_at, state }) => ({ id, state, at: asked_at, to: `/data/${dataset}?tab=openings`, text: t("reviews.opening", { name: dataset, by: asked_by }) })),
    ...failed.rows.map(({ id, dataset, source, opened_at, state }) => ({ id, state, at: opened_at, to: `/deliveries/${id}`, text: t("reviews.delivery", { name: dataset, source }) })),
  ];
  const asked = [proposals, grants, airlock, openings, failed];
  return {
    rows: rows.sort((one, other) => (one.at ?? "").localeCompare(other.at ?? "")),
    loading: asked.some(({ loading }) => loading),
    wrong: asked.find(({ error }) => error !== null),
  };
}

export function Reviews() {
  const { t } = useTranslation("home");
  const { rows, loading, wrong } = useWaiting();
  return (
    <Section title={t("reviews.title")}>
      {wrong !== undefined && <Problem error={wrong.error} onRetry={wrong.retry} />}
      {loading ? (
        <Skeleton h={60} />
      ) : rows.length === 0 ? (
        <Empty title={t("reviews.none")}>{t("reviews.teach")}</Empty>
      ) : (
        <List listStyleType="none" spacing="xs">
          {rows.map((one) => (
            <List.Item key={one.id}>
              <Group gap="xs">
                <StateBadge state={one.state} />
                <Anchor component={Link} to={one.to} size="sm">{one.text}</Anchor>
                <Text size="sm" c="dimmed"><When at={one.at} /></Text>
              </Group>
            </List.Item>
          ))}
        </List>
      )}
    </Section>
  );
}
