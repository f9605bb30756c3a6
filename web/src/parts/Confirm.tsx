/** Asked before what cannot be undone; by weight: a light one asks, a heavy one has one type the name. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "./Problem";

interface Props {
  opened: boolean;
  onClose: () => void;
  /** What will be done, as a question or an order: `Terminate lab?` */
  title: string;
  /** What it means. */
  children: ReactNode;
  /** The words on the button: what is done, never `OK`. */
  label: string;
  onConfirm: () => void;
  /** Given, the button waits until this is typed. */
  typed?: string;
  danger?: boolean;
  busy?: boolean;
  error?: unknown;
}

export function Confirm(props: Props) {
  const { t } = useTranslation("parts");
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={props.title} closeButtonProps={{ "aria-label": t("close") }}>
      <Asked {...props} />
    </Modal>
  );
}

function Asked({ onClose, children, label, onConfirm, typed, danger = true, busy = false, error }: Props) {
  const { t } = useTranslation("parts");
  const [text, setText] = useState("");
  const ready = typed === undefined || text === typed;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        // A form that the question stands in would hear of it as if it were its own: React's events cross portals.
        event.stopPropagation();
        if (ready) onConfirm();
      }}
    >
      <Stack>
        <Text component="div" size="sm">
          {children}
        </Text>
        {typed !== undefined && (
          <TextInput
            label={t("confirm.type", { name: typed })}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
            }}
            autoComplete="off"
            spellCheck={false}
            data-autofocus
          />
        )}
        <Problem error={error} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            {t("confirm.no")}
          </Button>
          <Button type="submit" {...(danger ? { color: "red" } : {})} disabled={!ready} loading={busy}>
            {label}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
