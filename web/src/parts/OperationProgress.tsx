/** Long work as it goes: its steps, how far it is, why it failed. Live by the events of the shell. */
import { Group, List, Progress, Stack, Text, ThemeIcon } from "@mantine/core";
import { IconCheck, IconCircleDashed, IconLoader2, IconX } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import type { Schema } from "../api/atoll";
import { useFormat } from "../app/format";
import { useCodeWords } from "./codes";
import { StateBadge } from "./StateBadge";

type Operation = Schema<"OperationAnswer">;

const OVER: readonly Operation["state"][] = ["succeeded", "failed", "cancelled"];

export function OperationProgress({ operation }: { operation: Operation }) {
  const { t } = useTranslation("parts");
  const format = useFormat();
  const words = useCodeWords();
  const over = OVER.includes(operation.state);
  const next = operation.steps.findIndex((step) => !step.done);
  return (
    <Stack gap="xs" aria-live="polite">
      <Group gap="xs">
        <StateBadge state={operation.state} />
        {!over && <Text size="sm">{format.percent(operation.progress)}</Text>}
      </Group>
      {!over && <Progress value={operation.progress * 100} aria-label={t("operation.progress")} animated />}
      <List spacing={4} size="sm" center>
        {operation.steps.map((step, index) => (
          <List.Item key={step.name} icon={<StepIcon step={step} current={index === next && !over} failed={index === next && operation.state === "failed"} />}>
            {words("step", step.name)}
          </List.Item>
        ))}
      </List>
      {operation.failure !== null && (
        <Text size="sm" c="red" role="alert">
          {operation.failure.message}
        </Text>
      )}
    </Stack>
  );
}

function StepIcon({ step, current, failed }: { step: Schema<"Step">; current: boolean; failed: boolean }) {
  const { t } = useTranslation("parts");
  const [Icon, color, label] = failed
    ? ([IconX, "red", t("operation.failed")] as const)
    : step.done
      ? ([IconCheck, "green", t("operation.done")] as const)
      : current
        ? ([IconLoader2, "blue", t("operation.current")] as const)
        : ([IconCircleDashed, "gray", t("operation.later")] as const);
  return (
    <ThemeIcon size={20} radius="xl" variant="light" color={color}>
      <Icon size={14} role="img" aria-label={label} />
    </ThemeIcon>
  );
}
