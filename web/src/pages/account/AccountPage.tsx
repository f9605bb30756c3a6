/** One's own account: look and language, password, second factor, tokens, sessions. */
import { Button, Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useId } from "react";
import { useScheme } from "../../app/scheme";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../app/format";
import { LANGUAGES, setLanguage, type Language } from "../../app/i18n";
import { useSession } from "../../app/session";
import { SCHEMES } from "../../app/shell/SchemeMenu";
import { useSignOut } from "../../app/shell/useSignOut";
import { Columns } from "../../parts/Columns";
import { Confirm } from "../../parts/Confirm";
import { Page } from "../../parts/Page";
import { Section } from "../../parts/Section";
import { Password } from "./Password";
import { SecondFactor } from "./SecondFactor";
import { Tokens } from "./Tokens";

export function Component() {
  const { t } = useTranslation("account");
  const { display_name, login } = useSession();
  return (
    <Page title={t("title")} about={t("about", { name: display_name, login })}>
      <Columns>
        <Look />
        <SecondFactor />
        <Password />
        <Sessions />
      </Columns>
      <Tokens />
    </Page>
  );
}

function Look() {
  const { t, i18n } = useTranslation("account");
  const { t: shell } = useTranslation("shell");
  const { colorScheme, setColorScheme } = useScheme();
  const [language, scheme] = [useId(), useId()];
  return (
    <Section title={t("look.title")}>
      <Stack gap="sm">
        <div>
          <Text size="sm" fw={500} id={language} mb={4}>
            {t("look.language")}
          </Text>
          <SegmentedControl
            fullWidth
            aria-labelledby={language}
            value={i18n.language}
            onChange={(one) => void setLanguage(one as Language)}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          />
        </div>
        <div>
          <Text size="sm" fw={500} id={scheme} mb={4}>
            {t("look.scheme")}
          </Text>
          <SegmentedControl
            fullWidth
            aria-labelledby={scheme}
            value={colorScheme}
            onChange={(one) => {
              setColorScheme(one);
            }}
            data={SCHEMES.map(([value]) => ({ value, label: shell(`scheme.${value}`) }))}
          />
        </div>
        <Text size="xs" c="dimmed">
          {t("look.zone", { zone: Intl.DateTimeFormat().resolvedOptions().timeZone })}
        </Text>
      </Stack>
    </Section>
  );
}

function Sessions() {
  const { t } = useTranslation("account");
  const format = useFormat();
  const { expires_at } = useSession();
  const [opened, { open, close }] = useDisclosure(false);
  const signOut = useSignOut();
  return (
    <Section title={t("sessions.title")}>
      <Stack gap="sm">
        <Text size="sm">{t("sessions.until", { when: format.dateTime(expires_at) })}</Text>
        <Group>
          <Button variant="default" onClick={open}>
            {t("sessions.everywhere")}
          </Button>
        </Group>
      </Stack>
      <Confirm
        opened={opened}
        onClose={close}
        title={t("sessions.sure")}
        label={t("sessions.everywhere")}
        onConfirm={() => {
          signOut.mutate(true);
        }}
        busy={signOut.isPending}
        error={signOut.error}
      >
        {t("sessions.means")}
      </Confirm>
    </Section>
  );
}
