import { Text } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../app/format";

/** The last day on which something counts, told as past when it is. */
export function Until({ day }: { day: string | null }) {
  const { t } = useTranslation("administration");
  const format = useFormat();
  if (day === null) return <Text size="sm" c="dimmed">{t("people.notSet")}</Text>;
  const past = day < new Date().toISOString().slice(0, 10);
  return <Text size="sm" {...(past ? { c: "red" } : {})}>{past ? t("people.ended", { when: format.date(day) }) : format.date(day)}</Text>;
}
