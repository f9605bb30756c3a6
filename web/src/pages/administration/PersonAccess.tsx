import { Button, Group, List, PasswordInput, Skeleton, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api, refresh, type Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import { useMay, useSession } from "../../app/session";
import { Confirm } from "../../parts/Confirm";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { toast } from "../../parts/toast";

type Person = Schema<"PersonAnswer">;

/** Where somebody is signed in, whether guessing slows their login down, and what an administrator may do about it. */
export function PersonAccess({ person }: { person: Person }) {
  const { t } = useTranslation("administration");
  const format = useFormat();
  const may = useMay();
  const params = { path: { id: person.id } };
  const asked = api.useQuery("get", "/api/v1/people/{id}/access", { params });
  return (
    <Section title={t("access.title")}>
      {asked.data === undefined ? (
        asked.isPending ? <Skeleton h={120} /> : <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : (
        <Stack gap="sm">
          <div>
            <Text size="sm" fw={500}>{t("access.sessions", { count: asked.data.sessions.length })}</Text>
            <List size="sm">
              {asked.data.sessions.map((one) => (
                <List.Item key={one.opened_at}>{t("access.session", { how: one.method === "oidc" ? t("access.oidc") : t("access.password"), opened: format.dateTime(one.opened_at), seen: format.ago(one.seen_at) })}</List.Item>
              ))}
            </List>
          </div>
          <Text size="sm">{t(asked.data.second_factor ? "access.factor" : "access.noFactor")}</Text>
          <div>
            <Text size="sm" fw={500}>{t(asked.data.slowed.length === 0 ? "access.free" : "access.slowed")}</Text>
            <List size="sm">
              {asked.data.slowed.map((one) => (
                <List.Item key={one.origin}>
                  {t("access.failures", { count: one.failures, origin: one.origin, when: format.ago(one.last_at) })}
                  {one.wait_seconds > 0 && ` ${t("access.waits", { wait: format.duration(one.wait_seconds) })}`}
                </List.Item>
              ))}
            </List>
            <Text size="xs" c="dimmed">{t("access.slowedMeans")}</Text>
          </div>
          {may("people:write") && <Deeds person={person} factor={asked.data.second_factor} />}
        </Stack>
      )}
    </Section>
  );
}

function Deeds({ person, factor }: { person: Person; factor: boolean }) {
  const { t } = useTranslation("administration");
  const { login } = useSession();
  const [asking, setAsking] = useState<"sessions" | "factor" | "password" | null>(null);
  const [password, setPassword] = useState("");
  const params = { path: { id: person.id } };
  const done = (word: string) => async () => {
    setAsking(null);
    setPassword("");
    toast(word);
    await refresh("/api/v1/people/{id}", "/api/v1/people/{id}/access", "/api/v1/tokens");
  };
  const end = api.useMutation("delete", "/api/v1/people/{id}/sessions", { onSuccess: done(t("access.ended")) });
  const reset = api.useMutation("delete", "/api/v1/people/{id}/second-factor", { onSuccess: done(t("access.factorGone")) });
  const change = api.useMutation("patch", "/api/v1/people/{id}", { onSuccess: done(t("access.passwordSet")) });
  const deed = { sessions: end, factor: reset, password: change }[asking ?? "sessions"];
  return (
    <Group gap="xs">
      <Button size="xs" variant="default" onClick={() => { setAsking("sessions"); }}>{t("access.end")}</Button>
      {person.origin === "local" && <Button size="xs" variant="default" onClick={() => { setAsking("password"); }}>{t("access.newPassword")}</Button>}
      {factor && person.login !== login && <Button size="xs" variant="default" onClick={() => { setAsking("factor"); }}>{t("access.resetFactor")}</Button>}
      <Confirm
        opened={asking !== null}
        onClose={() => { setAsking(null); }}
        title={t(`access.sure.${asking ?? "sessions"}`, { name: person.display_name })}
        label={asking === "password" ? t("access.newPassword") : asking === "factor" ? t("access.resetFactor") : t("access.end")}
        busy={deed.isPending}
        error={deed.error}
        onConfirm={() => {
          if (asking === "sessions") end.mutate({ params });
          else if (asking === "factor") reset.mutate({ params });
          else change.mutate({ params, body: { password } });
        }}
      >
        <Stack gap="xs">
          {t(`access.means.${asking ?? "sessions"}`)}
          {asking === "password" && <PasswordInput label={t("people.password")} required value={password} onChange={(event) => { setPassword(event.currentTarget.value); }} autoComplete="new-password" visibilityToggleButtonProps={{ "aria-label": t("people.showPassword") }} />}
        </Stack>
      </Confirm>
    </Group>
  );
}
