import { Button, Group, Skeleton, Stack, Text } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { api } from "../../api/atoll";
import { Problem } from "../../parts/Problem";
import { refreshMachines, type Machine } from "./deeds";
import { usePrice } from "../../parts/Price";
import { Sizes } from "./Sizes";

/** Another size of the machine's product, at a price one agrees to. */
export function Resize({ machine, onDone }: { machine: Machine; onDone: () => void }) {
  const { t } = useTranslation("machines");
  const priced = usePrice();
  const [size, setSize] = useState(machine.size);
  const product = machine.product.split("@")[0] ?? machine.product;
  const asked = api.useQuery("get", "/api/v1/products/{name}", { params: { path: { name: product } } });
  const resize = api.useMutation("post", "/api/v1/workspaces/{id}/resize", {
    onSuccess: async () => {
      onDone();
      await refreshMachines();
    },
    onError: () => void asked.refetch(),
  });
  if (asked.isPending) return <Skeleton h={200} />;
  if (asked.data === undefined) return <Problem error={asked.error} onRetry={() => void asked.refetch()} />;
  const chosen = asked.data.sizes.find(({ name }) => name === size);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (chosen !== undefined) resize.mutate({ params: { path: { id: machine.id } }, body: { size, confirm_eur_per_hour: chosen.eur_per_hour } });
      }}
    >
      <Stack>
        <Text size="sm">{t("resize.means")}</Text>
        <Sizes sizes={asked.data.sizes} value={size} onChange={setSize} now={machine.size} />
        <Problem error={resize.error} />
        <Group justify="flex-end">
          <Button type="submit" disabled={chosen === undefined || size === machine.size} loading={resize.isPending}>
            {chosen === undefined ? t("deed.resizeAsk") : t("resize.agree", { size, price: priced(chosen.eur_per_hour) })}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
