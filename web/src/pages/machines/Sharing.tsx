import { Badge, Button, Checkbox, Group, Select, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { Problem } from "../../parts/Problem";
import { Section } from "../../parts/Section";
import { refreshMachines, type Machine } from "./deeds";

/** Services whose face is a streamed screen. */
const SCREENS = ["desktop", "application"];

/** Others of the project who may see the machine and what is in it. */
export function Sharing({ machine, mayShare }: { machine: Machine; mayShare: boolean }) {
  const { t } = useTranslation("machines");
  const { id, owner, shared_with: shared } = machine;
  const [login, setLogin] = useState<string | null>(null);
  const [lookOn, setLookOn] = useState(false);
  const product = api.useQuery("get", "/api/v1/products/{name}", { params: { path: { name: machine.product.split("@")[0] ?? "" } } }, { enabled: mayShare });
  const isScreen = product.data !== undefined && SCREENS.includes(product.data.service);
  const project = api.useQuery("get", "/api/v1/projects/{name}", { params: { path: { name: machine.project } } }, { enabled: mayShare });
  const share = api.useMutation("put", "/api/v1/workspaces/{id}/shares/{login}", {
    onSuccess: async () => {
      setLogin(null);
      await refreshMachines();
    },
  });
  const unshare = api.useMutation("delete", "/api/v1/workspaces/{id}/shares/{login}", { onSuccess: refreshMachines });
  const others = project.data?.members.filter((one) => one !== owner && !shared.includes(one)) ?? [];
  return (
    <Section title={t("share.title")}>
      <Stack gap="sm">
        {shared.length === 0 && <Text size="sm" c="dimmed">{t("share.none")}</Text>}
        {shared.map((one) => (
          <Group key={one} justify="space-between">
            <Group gap="xs">
              <Text size="sm">{one}</Text>
              {machine.looks_on.includes(one) && <Badge variant="light">{t("share.looksOn")}</Badge>}
            </Group>
            {mayShare && (
              <Button
                size="compact-sm"
                variant="default"
                loading={unshare.isPending}
                aria-label={t("share.endOne", { login: one })}
                onClick={() => { unshare.mutate({ params: { path: { id, login: one } } }); }}
              >
                {t("share.end")}
              </Button>
            )}
          </Group>
        ))}
        {mayShare && project.data !== undefined && (
          others.length === 0 ? (
            <Text size="sm" c="dimmed">{t("share.nobody")}</Text>
          ) : (
            <Group align="flex-end" gap="xs">
              <Select label={t("share.with")} data={others} value={login} onChange={setLogin} searchable />
              {isScreen && (
                <Checkbox label={t("share.lookOn")} checked={lookOn} onChange={(event) => { setLookOn(event.currentTarget.checked); }} />
              )}
              <Button
                variant="default"
                disabled={login === null}
                loading={share.isPending}
                onClick={() => { if (login !== null) share.mutate({ params: { path: { id, login }, query: { look_on: isScreen && lookOn } } }); }}
              >
                {t("share.add")}
              </Button>
            </Group>
          )
        )}
        <Problem error={share.error ?? unshare.error ?? project.error} />
      </Stack>
    </Section>
  );
}
