/** Tokens for the atoll command and for programs. */
import { Button, Modal, Stack, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item } from "../../api/listing";
import { Confirm } from "../../parts/Confirm";
import { DataTable, type Column } from "../../parts/DataTable";
import { Empty } from "../../parts/Empty";
import { When } from "../../parts/Figures";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { ShownOnce } from "../../parts/ShownOnce";
import { StateBadge } from "../../parts/StateBadge";

type Token = Item<"/api/v1/tokens">;

function stateOf({ revoked_at, expires_at }: Token): "revoked" | "expired" | "active" {
  if (revoked_at !== null) return "revoked";
  return new Date(expires_at) < new Date() ? "expired" : "active";
}

export function Tokens() {
  const { t } = useTranslation("account");
  const listing = useListing("/api/v1/tokens");
  const [making, { open, close }] = useDisclosure(false);
  const [ending, setEnding] = useState<Token | null>(null);
  const revoke = api.useMutation("delete", "/api/v1/tokens/{id}", {
    onSuccess: async () => {
      setEnding(null);
      await refresh("/api/v1/tokens");
    },
  });
  const columns = useMemo<Column<Token>[]>(
    () => [
      { key: "label", title: t("tokens.label"), value: ({ label }) => label, cell: ({ label }) => label },
      { key: "state", title: t("tokens.state"), value: stateOf, cell: (token) => <StateBadge state={stateOf(token)} /> },
      { key: "made", title: t("tokens.made"), value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} /> },
      { key: "until", title: t("tokens.until"), value: ({ expires_at }) => expires_at, cell: ({ expires_at }) => <When at={expires_at} absolute /> },
      {
        key: "end",
        title: t("tokens.end"),
        cell: (token) =>
          stateOf(token) === "active" && (
            <Button size="compact-sm" variant="default" onClick={() => { setEnding(token); }} aria-label={t("tokens.endOne", { name: token.label })}>
              {t("tokens.revoke")}
            </Button>
          ),
      },
    ],
    [t],
  );
  return (
    <Section title={t("tokens.title")} aside={<Button onClick={open}>{t("tokens.make")}</Button>}>
      <DataTable title={t("tokens.title")} listing={listing} columns={columns} rowKey={({ id }) => id} empty={<Empty title={t("tokens.none")}>{t("tokens.teach")}</Empty>} />
      <Modal opened={making} onClose={close} title={t("tokens.make")} closeButtonProps={{ "aria-label": t("tokens.close") }}>
        <Make onDone={close} />
      </Modal>
      <Confirm
        opened={ending !== null}
        onClose={() => { setEnding(null); }}
        title={t("tokens.sure", { name: ending?.label ?? "" })}
        label={t("tokens.revoke")}
        onConfirm={() => { if (ending !== null) revoke.mutate({ params: { path: { id: ending.id } } }); }}
        busy={revoke.isPending}
        error={revoke.error}
      >
        {t("tokens.means")}
      </Confirm>
    </Section>
  );
}

function Make({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("account");
  const [label, setLabel] = useState("");
  const make = api.useMutation("post", "/api/v1/tokens", { onSuccess: () => refresh("/api/v1/tokens") });
  if (make.data !== undefined) return <ShownOnce secret={make.data.token} onDone={onDone} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        make.mutate({ body: { label } });
      }}
    >
      <Stack>
        <TextInput label={t("tokens.label")} description={t("tokens.labelHelp")} required maxLength={200} value={label} onChange={(event) => { setLabel(event.currentTarget.value); }} data-autofocus />
        <Problem error={make.error} />
        <Button type="submit" loading={make.isPending}>
          {t("tokens.make")}
        </Button>
      </Stack>
    </form>
  );
}
