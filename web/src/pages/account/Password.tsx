import { Button, Group, PasswordInput, Stack } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";

export function Password() {
  const { t } = useTranslation("account");
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const change = api.useMutation("post", "/api/v1/me/password", {
    onSuccess: () => {
      setCurrent("");
      setNext("");
      toast(t("password.changed"));
    },
  });
  const show = { visibilityToggleButtonProps: { "aria-label": t("password.show") } };
  return (
    <Section title={t("password.title")}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change.mutate({ body: { current, new: next } });
        }}
      >
        <Stack gap="sm">
          <PasswordInput {...show} label={t("password.current")} required autoComplete="current-password" value={current} onChange={(event) => { setCurrent(event.currentTarget.value); }} />
          <PasswordInput {...show} label={t("password.new")} description={t("password.means")} required autoComplete="new-password" value={next} onChange={(event) => { setNext(event.currentTarget.value); }} />
          <Problem error={change.error} />
          <Group>
            <Button type="submit" variant="default" loading={change.isPending}>
              {t("password.change")}
            </Button>
          </Group>
        </Stack>
      </form>
    </Section>
  );
}
