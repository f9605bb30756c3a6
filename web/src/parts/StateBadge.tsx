/** A state in a word, with a colour that says how it stands and a word that says it without colour. */
import { Badge, Tooltip } from "@mantine/core";
import { useTranslation } from "react-i18next";
import { TONES, type Tone } from "../app/theme";

/** Every state of every kind of thing. A new one is added here and to `common.json` under `state`. */
const TONE_OF = {
  receiving: "busy", waiting: "wait", admitting: "busy", committed: "good", held: "wait", rejected: "bad", failed: "bad",
  queued: "wait", running: "good", retrying: "wait", succeeded: "good", cancelled: "idle", done: "good",
  provisioning: "busy", hibernating: "busy", hibernated: "idle", waking: "busy", resizing: "busy", stopping: "busy",
  stopped: "idle", terminating: "busy", terminated: "idle", starting: "busy", frozen: "idle", absent: "idle", unknown: "wait",
  open: "wait", approved: "good", refused: "bad", withdrawn: "idle", draft: "idle", checking: "busy", returned: "wait",
  review: "wait", placing: "busy", placed: "good", released: "good", expired: "idle", handed: "good", revoked: "idle", active: "good", inactive: "idle",
  current: "good", deprecated: "wait", retired: "idle", within: "good", warned: "wait", blocked: "bad", closed: "good",
  published: "good", lapsed: "idle", ready: "good", pending: "wait",
} as const satisfies Record<string, Tone>;

export type KnownState = keyof typeof TONE_OF;

function isKnown(state: string): state is KnownState {
  return state in TONE_OF;
}

/** `reason`: why it is so; shown on hover and focus, and read out. */
export function StateBadge({ state, reason }: { state: string; reason?: string }) {
  const { t } = useTranslation("common");
  const known = isKnown(state);
  const badge = (
    <Badge
      variant="light"
      color={known ? TONES[TONE_OF[state]] : TONES.idle}
      radius="sm"
      tt="none"
      fw={500}
      miw="max-content"
      {...(reason ? { tabIndex: 0 } : {})}
    >
      {known ? t(`state.${state}`) : state}
    </Badge>
  );
  if (!reason) return badge;
  return (
    <Tooltip label={reason} multiline maw="22rem">
      {badge}
    </Tooltip>
  );
}
