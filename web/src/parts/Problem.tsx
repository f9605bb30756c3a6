/** An error as Atoll tells it: what happened, where, what to do next, and the id by which an operator finds it. */
import { Alert, Button, Code, Group, List, Stack, Text } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { ApiError } from "../api/client";

interface Props {
  error: unknown;
  onRetry?: () => void;
  /** What the button says; left out, that it is tried again. */
  retry?: string;
}

export function Problem({ error, onRetry, retry }: Props) {
  const { t } = useTranslation("parts");
  if (error === null || error === undefined) return null;
  const told = error instanceof ApiError ? error : null;
  const away = told?.status === 0;
  const unreadable = told?.code === "unreadable_answer";
  const message = away ? t("problem.away") : told === null ? t("problem.page") : unreadable ? t("problem.unreadable", { status: told.status }) : told.message;
  const todo = away ? t("problem.awayTodo") : told === null ? t("problem.pageTodo") : unreadable ? t("problem.unreadableTodo") : told.todo;
  return (
    <Alert color="red" variant="light" icon={<IconAlertTriangle aria-hidden />} title={message} role="alert">
      <Stack gap="xs">
        {todo !== "" && <Text size="sm">{todo}</Text>}
        {told !== null && told.findings.length > 0 && (
          <List size="sm">
            {told.findings.map((finding) => (
              <List.Item key={finding}>{finding}</List.Item>
            ))}
          </List>
        )}
        {told !== null && told.request_id !== "" && (
          <Text size="xs">
            {told.where !== "" && <Code>{told.where}</Code>} {t("problem.request")} <Code>{told.request_id}</Code>
          </Text>
        )}
        {onRetry !== undefined && (
          <Group>
            <Button size="xs" variant="default" onClick={onRetry}>
              {retry ?? t("problem.retry")}
            </Button>
          </Group>
        )}
      </Stack>
    </Alert>
  );
}
