/** A proposal: what it changes, and the decision about it. */
import { Button, Group, Modal, Skeleton, Stack, Text, Textarea } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useParams } from "react-router";
import { api, refresh, type Schema } from "../../api/atoll";
import { useMay, useSession } from "../../app/session";
import { When } from "../../parts/Figures";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { StateBadge } from "../../parts/StateBadge";
import { toast } from "../../parts/toast";
import { Changes } from "./Words";

type Proposal = Schema<"ReviewedProposal">;
type Deed = "approve" | "refuse" | "withdraw";

export function Component() {
  const { t } = useTranslation("contracts");
  const { id = "" } = useParams();
  const may = useMay();
  const asked = api.useQuery("get", "/api/v1/contract-proposals/{id}", { params: { path: { id } } });
  const one = asked.data;
  return (
    <Page
      title={one === undefined ? t("proposal") : t("proposalOf", { dataset: one.dataset })}
      about={one?.note}
      actions={one?.state === "waiting" && may("contracts:write") && <Decide proposal={one} />}
    >
      <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      {asked.isPending && <Skeleton h={200} />}
      {one !== undefined && (
        <Section title={t("changes")} aside={<StateBadge state={one.state} />}>
          <Stack>
            <Text size="sm" component="div">{t("proposed", { by: one.proposed_by })} <When at={one.proposed_at} absolute /></Text>
            {one.decided_by !== null && <Text size="sm" component="div">{t("decided", { by: one.decided_by, reason: one.reason || "–" })} <When at={one.decided_at} absolute /></Text>}
            <Changes comparison={one.comparison} />
          </Stack>
        </Section>
      )}
    </Page>
  );
}

function Decide({ proposal: { id, proposed_by } }: { proposal: Proposal }) {
  const { t } = useTranslation("contracts");
  const { login } = useSession();
  const [deed, setDeed] = useState<Deed | null>(null);
  const [reason, setReason] = useState("");
  const onSuccess = async () => {
    setDeed(null);
    toast(t("decisionKept"));
    await refresh("/api/v1/contract-proposals", "/api/v1/contract-proposals/{id}", "/api/v1/contracts");
  };
  const approve = api.useMutation("post", "/api/v1/contract-proposals/{id}/approve", { onSuccess });
  const refuse = api.useMutation("post", "/api/v1/contract-proposals/{id}/refuse", { onSuccess });
  const withdraw = api.useMutation("post", "/api/v1/contract-proposals/{id}/withdraw", { onSuccess });
  const params = { path: { id } };
  const deeds: readonly Deed[] = proposed_by === login ? ["withdraw"] : ["approve", "refuse"];
  return (
    <>
      {deeds.map((one) => (
        <Button key={one} variant={one === "approve" ? "filled" : "default"} onClick={() => { setDeed(one); }}>{t(`deed.${one}`)}</Button>
      ))}
      <Modal opened={deed !== null} onClose={() => { setDeed(null); }} title={t("sure")} closeButtonProps={{ "aria-label": t("close") }}>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (deed === "approve") approve.mutate({ params, body: { reason } });
            if (deed === "refuse") refuse.mutate({ params, body: { reason } });
            if (deed === "withdraw") withdraw.mutate({ params });
          }}
        >
          <Stack>
            {deed !== null && <Text size="sm">{t(`means.${deed}`)}</Text>}
            {deed !== "withdraw" && <Textarea label={t("reason")} required={deed === "refuse"} value={reason} onChange={(event) => { setReason(event.currentTarget.value); }} data-autofocus />}
            <Problem error={approve.error ?? refuse.error ?? withdraw.error} />
            <Group justify="flex-end">
              <Button type="submit" {...(deed === "refuse" ? { color: "red" } : {})} loading={approve.isPending || refuse.isPending || withdraw.isPending}>
                {deed !== null && t(`deed.${deed}`)}
              </Button>
            </Group>
          </Stack>
        </form>
      </Modal>
    </>
  );
}
