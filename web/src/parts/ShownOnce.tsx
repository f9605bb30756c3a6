/** A secret that is shown once: copied, then confirmed as kept. */
import { Button, Code, CopyButton, Group, Stack, Text } from "@mantine/core";
import { useTranslation } from "react-i18next";

export function ShownOnce({ secret, onDone }: { secret: string; onDone: () => void }) {
  const { t } = useTranslation("parts");
  return (
    <Stack>
      <Text size="sm">{t("once.means")}</Text>
      <Code block>{secret}</Code>
      <Group justify="flex-end">
        <CopyButton value={secret}>
          {({ copied, copy }) => (
            <Button variant="default" onClick={copy}>
              {t(copied ? "once.copied" : "once.copy")}
            </Button>
          )}
        </CopyButton>
        <Button onClick={onDone}>{t("once.kept")}</Button>
      </Group>
    </Stack>
  );
}
