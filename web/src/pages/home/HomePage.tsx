/** What is mine and what waits for me. Each card shows when one has the right to what is in it. */
import { Alert, Stack } from "@mantine/core";
import { IconInfoCircle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { useMay, useSession } from "../../app/session";
import { Columns } from "../../parts/Columns";
import { Page } from "../../parts/Page";
import { Machines } from "./Machines";
import { Queries } from "./Queries";
import { Spend } from "./Spend";
import { Deliveries } from "./Deliveries";
import { Reviews } from "./Reviews";
import { Operations } from "./Operations";

export function Component() {
  const { t } = useTranslation("home");
  const session = useSession();
  const may = useMay();
  return (
    <Page title={t("title", { name: session.display_name })} about={t("about")}>
      {session.closed.length > 0 && (
        <Alert color="yellow" icon={<IconInfoCircle aria-hidden />} title={t("closed")}>
          <Stack gap={4}>
            {session.closed.map((reason) => (
              <span key={reason}>{reason}</span>
            ))}
          </Stack>
        </Alert>
      )}
      <Columns least="wide">
        {(may("contracts:write") || may("grants:write") || may("airlock:review") || may("deliveries:decide")) && <Reviews />}
        {may("workspaces:read:own") && <Machines />}
        {may("budgets:read:own") && <Spend />}
        {may("queries:read:own") && <Queries />}
        {may("deliveries:read") && <Deliveries />}
        {may("operations:read") && <Operations />}
      </Columns>
    </Page>
  );
}
