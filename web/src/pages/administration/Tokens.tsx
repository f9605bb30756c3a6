import { Button, Modal, SegmentedControl, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { api, refresh } from "../../api/atoll";
import { useListing, type Item, type Listing } from "../../api/listing";
import { useSession } from "../../app/session";
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

/** One's own tokens or those of everybody; `?whose=everybody`. */
export function Tokens() {
  const { t } = useTranslation("administration");
  const { login } = useSession();
  const [params, setParams] = useSearchParams();
  const everybody = params.get("whose") === "everybody";
  const listing = useListing("/api/v1/tokens", { query: { everybody } });
  return (
    <Section title={t("section.tokens")} aside={<Make label={t("tokens.make")} {...(everybody ? {} : { login })} />}>
      <Table
        title={t("section.tokens")}
        listing={listing}
        withSubject={everybody}
        filters={
          <SegmentedControl
            size="xs"
            aria-label={t("tokens.whose")}
            value={everybody ? "everybody" : "mine"}
            onChange={(value) => { setParams(value === "everybody" ? { whose: value } : {}, { replace: true }); }}
            data={[{ value: "mine", label: t("tokens.mine") }, { value: "everybody", label: t("tokens.everybody") }]}
          />
        }
      />
    </Section>
  );
}

/** The tokens of one person or source. */
export function TokensOf({ login, source }: { login?: string; source?: string }) {
  const { t } = useTranslation("administration");
  const listing = useListing("/api/v1/tokens", { query: { ...(login ? { login } : {}), ...(source ? { source } : {}) } });
  return (
    <Section title={t("section.tokens")} aside={<Make label={t("tokens.make")} {...(login ? { login } : {})} {...(source ? { source } : {})} />}>
      <Table title={t("section.tokens")} listing={listing} withSubject={false} />
    </Section>
  );
}

function Table({ title, listing, withSubject, filters }: { title: string; listing: Listing<Token>; withSubject: boolean; filters?: React.ReactNode }) {
  const { t } = useTranslation("administration");
  const [ending, setEnding] = useState<Token | null>(null);
  const revoke = api.useMutation("delete", "/api/v1/tokens/{id}", {
    onSuccess: async () => {
      setEnding(null);
      await refresh("/api/v1/tokens");
    },
  });
  const columns = useMemo<Column<Token>[]>(
    () => [
      { key: "label", title: t("tokens.label"), sort: "label", value: ({ label }) => label, cell: ({ label }) => label },
      ...(withSubject
        ? [{ key: "subject", title: t("tokens.subject"), value: ({ subject }: Token) => subject, cell: ({ subject, kind }: Token) => (
            <>{subject}<Text size="xs" c="dimmed">{t(`tokens.kind.${kind}`)}</Text></>
          ) }]
        : []),
      { key: "state", title: t("tokens.state"), value: stateOf, cell: (token) => <StateBadge state={stateOf(token)} /> },
      { key: "made", title: t("tokens.made"), sort: "created_at", value: ({ created_at }) => created_at, cell: ({ created_at }) => <When at={created_at} /> },
      { key: "until", title: t("tokens.until"), sort: "expires_at", value: ({ expires_at }) => expires_at, cell: ({ expires_at }) => <When at={expires_at} absolute /> },
      {
        key: "end",
        title: t("actions"),
        cell: (token) =>
          stateOf(token) === "active" && (
            <Button size="compact-sm" variant="default" onClick={() => { setEnding(token); }} aria-label={t("tokens.revokeOne", { name: token.label })}>{t("tokens.revoke")}</Button>
          ),
      },
    ],
    [t, withSubject],
  );
  return (
    <>
      <DataTable title={title} listing={listing} columns={columns} rowKey={({ id }) => id} filters={filters} empty={<Empty title={t("tokens.none")}>{t("tokens.teach")}</Empty>} />
      <Confirm
        opened={ending !== null}
        onClose={() => { setEnding(null); }}
        title={t("tokens.sure", { name: ending?.label ?? "" })}
        label={t("tokens.revoke")}
        busy={revoke.isPending}
        error={revoke.error}
        onConfirm={() => { if (ending !== null) revoke.mutate({ params: { path: { id: ending.id } } }); }}
      >
        {t("tokens.means")}
      </Confirm>
    </>
  );
}

/** Without a login or a source one is asked whom the token is for. */
function Make({ label, login, source }: { label: string; login?: string; source?: string }) {
  const { t } = useTranslation("administration");
  const [opened, { open, close }] = useDisclosure(false);
  return (
    <>
      <Button onClick={open}>{label}</Button>
      <Modal opened={opened} onClose={close} title={label} closeButtonProps={{ "aria-label": t("close") }}>
        <Form onDone={close} {...(login ? { login } : {})} {...(source ? { source } : {})} />
      </Modal>
    </>
  );
}

function Form({ login, source, onDone }: { login?: string; source?: string; onDone: () => void }) {
  const { t } = useTranslation("administration");
  const [name, setName] = useState("");
  const [whose, setWhose] = useState(login ?? "");
  const kept = { onSuccess: () => refresh("/api/v1/tokens") };
  const ofPerson = api.useMutation("post", "/api/v1/tokens", kept);
  const ofSource = api.useMutation("post", "/api/v1/sources/{name}/tokens", kept);
  const made = ofPerson.data ?? ofSource.data;
  if (made !== undefined) return <ShownOnce secret={made.token} onDone={onDone} />;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (source === undefined) ofPerson.mutate({ body: { label: name, login: whose } });
        else ofSource.mutate({ params: { path: { name: source } }, body: { label: name } });
      }}
    >
      <Stack>
        {source === undefined && login === undefined && <TextInput label={t("tokens.for")} required value={whose} onChange={(event) => { setWhose(event.currentTarget.value); }} autoCapitalize="none" spellCheck={false} />}
        <TextInput label={t("tokens.label")} description={t("tokens.labelHelp")} required maxLength={200} value={name} onChange={(event) => { setName(event.currentTarget.value); }} data-autofocus />
        <Problem error={ofPerson.error ?? ofSource.error} />
        <Button type="submit" loading={ofPerson.isPending || ofSource.isPending}>{t("tokens.make")}</Button>
      </Stack>
    </form>
  );
}
