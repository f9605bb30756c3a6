import { Button, Card, Divider, Group, PasswordInput, Stack, Text, TextInput, Title } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Navigate, useSearchParams } from "react-router";
import { api, API_URL, atoll, type Schema } from "../../api/atoll";
import { ApiError } from "../../api/client";
import { signedIn, useSessionQuery } from "../../app/session";
import { LanguageMenu } from "../../app/shell/LanguageMenu";
import { SchemeMenu } from "../../app/shell/SchemeMenu";
import { Wordmark } from "../../app/shell/Wordmark";
import { Problem } from "../../parts/Problem";
import { safeReturn } from "./returnTo";
import classes from "./SignInPage.module.css";

export function Component() {
  const { t } = useTranslation("signIn");
  const [search] = useSearchParams();
  const back = safeReturn(search.get("return_to"));
  const session = useSessionQuery();
  const methods = api.useQuery("get", "/api/v1/session/methods", {}, { staleTime: Infinity });

  useEffect(() => {
    document.title = `${t("title")} · Atoll`;
  }, [t]);

  if (session.data) return <Navigate to={back} replace />;
  const ways = methods.data?.methods ?? [];
  const issuers = ways.filter((way) => way.kind === "oidc");
  return (
    <div className={classes.page}>
      <Group justify="flex-end" component="header">
        <LanguageMenu />
        <SchemeMenu />
      </Group>
      <main className={classes.middle}>
        <Card className={classes.card} padding="xl">
          <Stack>
            <Wordmark />
            <div>
              <Title order={1}>{t("title")}</Title>
              <Text c="dimmed">{t("about")}</Text>
            </div>
            {search.get("problem") !== null && <Text role="alert" c="red">{t("refused")}</Text>}
            <Problem error={methods.error} onRetry={() => void methods.refetch()} />
            {issuers.map((way) => (
              <Issuer key={way.name} way={way} back={back} />
            ))}
            {issuers.length > 0 && <Divider label={t("or")} />}
            {ways.some((way) => way.kind === "password") && <Password />}
          </Stack>
        </Card>
      </main>
    </div>
  );
}

function Issuer({ way, back }: { way: Schema<"MethodAnswer">; back: string }) {
  const { t } = useTranslation("signIn");
  const start = `${API_URL}${way.start_url ?? ""}?${new URLSearchParams({ return_to: back }).toString()}`;
  return (
    <Button component="a" href={start} variant="default" fullWidth>
      {t("with", { name: way.name })}
    </Button>
  );
}

function needsCode(error: unknown): boolean {
  return error instanceof ApiError && error.code === "second_factor_required";
}

function Password() {
  const { t } = useTranslation("signIn");
  const [login, setLogin] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [withCode, setWithCode] = useState(false);
  const codeField = useRef<HTMLInputElement>(null);
  const enter = useMutation({
    mutationFn: async (body: Schema<"NewSession">) => (await atoll.POST("/api/v1/session", { body })).data,
    onSuccess: (session) => {
      if (session !== undefined) signedIn(session);
    },
    onError: (error) => {
      if (needsCode(error)) setWithCode(true);
    },
  });
  const wantsCode = needsCode(enter.error);

  useEffect(() => {
    if (withCode) codeField.current?.focus();
  }, [withCode]);

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        enter.mutate({ login, password, ...(withCode ? { code } : {}) });
      }}
    >
      <Stack>
        <TextInput label={t("login")} name="username" autoComplete="username" required autoCapitalize="none" spellCheck={false} value={login} onChange={(event) => { setLogin(event.currentTarget.value); }} />
        <PasswordInput
          label={t("password")}
          name="password"
          autoComplete="current-password"
          required
          value={password}
          onChange={(event) => { setPassword(event.currentTarget.value); }}
          visibilityToggleButtonProps={{ "aria-label": t("show") }}
        />
        {withCode && (
          <TextInput
            ref={codeField}
            label={t("code")}
            description={t("codeHelp")}
            name="code"
            autoComplete="one-time-code"
            inputMode="text"
            required
            value={code}
            onChange={(event) => { setCode(event.currentTarget.value); }}
          />
        )}
        {!wantsCode && <Problem error={enter.error} />}
        <Button type="submit" loading={enter.isPending} fullWidth>
          {t("enter")}
        </Button>
      </Stack>
    </form>
  );
}
