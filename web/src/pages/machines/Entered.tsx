import { Alert, Anchor } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { Problem } from "../../parts/Problem";
import type { useEntrance } from "./deeds";

/** Where a browser blocked the tab: a link in its place. Why a machine could not be entered. */
export function Entered({ entrance }: { entrance: ReturnType<typeof useEntrance> }) {
  const { t } = useTranslation("machines");
  return (
    <>
      <Problem error={entrance.error} />
      {entrance.blocked !== null && (
        <Alert color="yellow" title={t("open.blocked")}>
          <Anchor href={entrance.blocked} target="_blank" rel="noopener noreferrer">
            {t("open.link")}
          </Anchor>
        </Alert>
      )}
    </>
  );
}
