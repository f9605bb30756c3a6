/** What to show where there is nothing yet: what would be here, and how it comes about. */
import { Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";

export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <Stack align="center" gap={6} py="lg" px="md" ta="center">
      <Text fw={600}>{title}</Text>
      {children !== undefined && (
        <Text c="dimmed" size="sm" maw="34rem" component="div">
          {children}
        </Text>
      )}
      {action}
    </Stack>
  );
}
