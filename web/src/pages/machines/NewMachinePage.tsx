/** The catalog with prices; what is chosen there is set, priced, agreed to and launched. */
import { Alert, Badge, Button, Card, Group, List, Select, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { IconClockHour4 } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Link, useNavigate, useSearchParams } from "react-router";
import { api, type Schema } from "../../api/atoll";
import { ApiError } from "../../api/client";
import { useFormat } from "../../app/format";
import { useMay, useSession } from "../../app/session";
import { Columns } from "../../parts/Columns";
import { Confirm } from "../../parts/Confirm";
import { Empty } from "../../parts/Empty";
import { defaultsOf, JsonSchemaForm, type FormSchema, type FormValues } from "../../parts/JsonSchemaForm";
import { Page } from "../../parts/Page";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { refreshMachines } from "./deeds";
import { usePrice } from "../../parts/Price";
import { Sizes } from "./Sizes";

type Product = Schema<"ProductAnswer">;

export function Component() {
  const { t } = useTranslation("machines");
  const may = useMay();
  const { projects } = useSession();
  const [search] = useSearchParams();
  const allowed = may("workspaces:run") && projects.length > 0;
  const asked = api.useQuery("get", "/api/v1/products", {}, { enabled: allowed });
  const mine = asked.data?.items.filter((one) => projectsFor(one, projects).length > 0) ?? [];
  const chosen = mine.find(({ name }) => name === search.get("product"));
  return (
    <Page
      title={chosen === undefined ? t("new.title") : t("new.of", { title: chosen.title })}
      about={chosen === undefined ? t("new.about") : chosen.description}
      actions={<Button component={Link} to={chosen === undefined ? "/machines" : "/machines/new"} variant="default">{t(chosen === undefined ? "new.back" : "new.other")}</Button>}
    >
      {!allowed ? (
        <Empty title={t("new.may")}>{t(may("workspaces:run") ? "new.noProject" : "new.mayTeach")}</Empty>
      ) : asked.isPending ? (
        <Skeleton h={220} />
      ) : asked.error !== null ? (
        <Problem error={asked.error} onRetry={() => void asked.refetch()} />
      ) : chosen !== undefined ? (
        <Launch key={chosen.id} product={chosen} />
      ) : mine.length === 0 ? (
        <Empty title={t("new.none")}>{t("new.noneTeach")}</Empty>
      ) : (
        <Columns>
          {mine.map((one) => <ProductCard key={one.id} product={one} />)}
        </Columns>
      )}
    </Page>
  );
}

function projectsFor({ projects }: Product, mine: readonly Schema<"ProjectOfSession">[]) {
  return mine.filter(({ name }) => projects === null || projects.includes(name));
}

function ProductCard({ product }: { product: Product }) {
  const { t } = useTranslation("machines");
  const priced = usePrice();
  const cheapest = product.sizes.reduce((least, { eur_per_hour }) => Math.min(least, Number(eur_per_hour)), Infinity);
  return (
    <Card component="article">
      <Stack gap="xs" h="100%" justify="space-between">
        <div>
          <Group justify="space-between" gap="xs" mb={4}>
            <Title order={2} size="h3">{product.title}</Title>
            {product.state === "deprecated" && <Badge color="yellow" variant="light">{t("new.deprecated")}</Badge>}
          </Group>
          <Text size="sm">{product.description}</Text>
          <Text size="xs" c="dimmed" mt="xs">{restsAfter(product, t)}</Text>
        </div>
        <Group justify="space-between">
          {Number.isFinite(cheapest) && <Text fw={600} className="tabular">{t("new.from", { price: priced(cheapest) })}</Text>}
          <Button component={Link} to={`/machines/new?product=${encodeURIComponent(product.name)}`} variant="light" aria-label={t("new.chooseOne", { title: product.title })}>
            {t("new.choose")}
          </Button>
        </Group>
      </Stack>
    </Card>
  );
}

function restsAfter({ idle }: Product, t: ReturnType<typeof useTranslation<"machines">>["t"]): string {
  return idle.action === "none" ? t("new.idle.none") : t(`new.idle.${idle.action}`, { count: idle.after_minutes });
}

function Launch({ product }: { product: Product }) {
  const { t } = useTranslation("machines");
  const format = useFormat();
  const priced = usePrice();
  const go = useNavigate();
  const { projects } = useSession();
  const choices = projectsFor(product, projects);
  const schema = product.parameters as FormSchema;
  const [project, setProject] = useState(choices[0]?.name ?? "");
  const [name, setName] = useState("");
  const [size, setSize] = useState(product.sizes[0]?.name ?? "");
  const [parameters, setParameters] = useState<FormValues>(() => defaultsOf(schema));
  const [sure, setSure] = useState(false);
  const body = { dry_run: false, product: product.name, project, name: name === "" ? null : name, size, parameters };

  // What it comes to now. Asked with the queue allowed, so that a quota that is full is told and not refused.
  const quoted = api.useMutation("post", "/api/v1/workspaces");
  const launch = api.useMutation("post", "/api/v1/workspaces", {
    onSuccess: async ({ workspace }) => {
      await refreshMachines();
      if (workspace !== null) await go(`/machines/${workspace.id}`);
    },
    onError: (error) => {
      // The price changed, or the room went to somebody else, since it was told: tell what holds now.
      if (error instanceof ApiError && ["conflict", "limit_exceeded"].includes(error.code)) quoted.mutate({ body: { ...body, dry_run: true, queue: true } });
    },
  });
  const quote = quoted.data?.quote;
  const price = quote === undefined ? "" : priced(quote.size.eur_per_hour);
  const waits = quote?.waits ?? "";

  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        launch.reset();
        quoted.mutate({ body: { ...body, dry_run: true, queue: true } }, { onSuccess: () => { setSure(true); } });
      }}
    >
      <Stack gap="lg">
        <Section title={t("new.where")}>
          <Columns>
            <Select
              label={t("new.project")}
              description={t("new.projectHelp")}
              data={choices.map((one) => ({ value: one.name, label: one.title }))}
              value={project}
              onChange={(one) => { if (one !== null) setProject(one); }}
              allowDeselect={false}
              required
            />
            <TextInput
              label={t("new.name")}
              description={t("new.nameHelp")}
              value={name}
              pattern="[a-z][a-z0-9_\-]{0,39}"
              maxLength={40}
              autoComplete="off"
              spellCheck={false}
              onChange={(event) => { setName(event.currentTarget.value); }}
            />
          </Columns>
        </Section>
        <Section title={t("size.title")}>
          <Sizes sizes={product.sizes} value={size} onChange={setSize} />
        </Section>
        <Section title={t("new.settings")}>
          <JsonSchemaForm schema={schema} values={parameters} onChange={setParameters} />
        </Section>
        {!sure && <Problem error={quoted.error} />}
        <Group justify="flex-end">
          <Button type="submit" loading={quoted.isPending}>{t("new.review")}</Button>
        </Group>
      </Stack>
      {quote !== undefined && (
        <Confirm
          opened={sure}
          onClose={() => { setSure(false); }}
          title={t("new.sure", { name: quote.name })}
          label={waits === "" ? t("new.launch", { price }) : t("new.queue", { price })}
          danger={false}
          onConfirm={() => {
            launch.mutate({ body: { ...body, name: quote.name, confirm_eur_per_hour: quote.size.eur_per_hour, queue: waits !== "" } });
          }}
          busy={launch.isPending || quoted.isPending}
          error={launch.error ?? quoted.error}
        >
          <Stack gap="sm">
            <Text fw={600}>{t("new.price", { price, month: format.money(quote.size.eur_per_working_month) })}</Text>
            <Text size="sm">{t("new.until", { when: format.date(quote.expires_at), rests: restsAfter(product, t) })}</Text>
            {quote.ready && <Text size="sm">{t("new.ready")}</Text>}
            {quote.warnings.length > 0 && (
              <List size="sm">
                {quote.warnings.map((one) => <List.Item key={one}>{one}</List.Item>)}
              </List>
            )}
            {waits !== "" && (
              <Alert color="yellow" icon={<IconClockHour4 aria-hidden />} title={t("new.full")}>
                <Text size="sm">{waits}</Text>
                <Text size="sm">{t("new.fullMeans")}</Text>
              </Alert>
            )}
          </Stack>
        </Confirm>
      )}
    </form>
  );
}
