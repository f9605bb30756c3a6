/** A code of an app at sign-in: set up by a picture, confirmed by a code, taken away by one. */
import { Button, Code, Group, List, Modal, Stack, Text, TextInput } from "@mantine/core";
import { QRCodeSVG } from "qrcode.react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh } from "../../api/atoll";
import { useSession } from "../../app/session";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";

export function SecondFactor() {
  const { t } = useTranslation("account");
  const { second_factor: on } = useSession();
  const start = api.useMutation("post", "/api/v1/me/second-factor");
  const [removing, setRemoving] = useState(false);
  return (
    <Section title={t("factor.title")}>
      <Stack gap="sm">
        <Text size="sm">{t(on ? "factor.on" : "factor.off")}</Text>
        <Problem error={start.error} />
        <Group>
          {on ? (
            <Button variant="default" onClick={() => { setRemoving(true); }}>
              {t("factor.remove")}
            </Button>
          ) : (
            <Button loading={start.isPending} onClick={() => { start.mutate({}); }}>
              {t("factor.start")}
            </Button>
          )}
        </Group>
      </Stack>
      <Modal opened={start.data !== undefined} onClose={start.reset} title={t("factor.start")} closeButtonProps={{ "aria-label": t("factor.close") }}>
        {start.data && <Enrol secret={start.data.secret} uri={start.data.uri} onDone={start.reset} />}
      </Modal>
      <Modal opened={removing} onClose={() => { setRemoving(false); }} title={t("factor.remove")} closeButtonProps={{ "aria-label": t("factor.close") }}>
        <Remove onDone={() => { setRemoving(false); }} />
      </Modal>
    </Section>
  );
}

function Enrol({ secret, uri, onDone }: { secret: string; uri: string; onDone: () => void }) {
  const { t } = useTranslation("account");
  const [code, setCode] = useState("");
  const confirm = api.useMutation("post", "/api/v1/me/second-factor/confirm");
  if (confirm.data !== undefined) {
    return (
      <Stack>
        <Text size="sm">{t("factor.recovery")}</Text>
        <List size="sm">
          {confirm.data.recovery_codes.map((one) => (
            <List.Item key={one}>
              <Code>{one}</Code>
            </List.Item>
          ))}
        </List>
        <Button onClick={() => { onDone(); void refresh("/api/v1/session"); }}>{t("factor.kept")}</Button>
      </Stack>
    );
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        confirm.mutate({ body: { code } });
      }}
    >
      <Stack>
        <Text size="sm">{t("factor.scan")}</Text>
        <Group justify="center">
          <QRCodeSVG value={uri} size={180} marginSize={3} title={t("factor.picture")} role="img" />
        </Group>
        <Text size="sm">
          {t("factor.secret")} <Code>{secret}</Code>
        </Text>
        <TextInput label={t("factor.code")} required inputMode="numeric" autoComplete="one-time-code" value={code} onChange={(event) => { setCode(event.currentTarget.value); }} data-autofocus />
        <Problem error={confirm.error} />
        <Button type="submit" loading={confirm.isPending}>
          {t("factor.confirm")}
        </Button>
      </Stack>
    </form>
  );
}

function Remove({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation("account");
  const [code, setCode] = useState("");
  const remove = api.useMutation("delete", "/api/v1/me/second-factor", {
    onSuccess: async () => {
      await refresh("/api/v1/session");
      onDone();
    },
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        remove.mutate({ body: { code } });
      }}
    >
      <Stack>
        <TextInput label={t("factor.code")} required autoComplete="one-time-code" value={code} onChange={(event) => { setCode(event.currentTarget.value); }} data-autofocus />
        <Problem error={remove.error} />
        <Button type="submit" color="red" loading={remove.isPending}>
          {t("factor.remove")}
        </Button>
      </Stack>
    </form>
  );
}
