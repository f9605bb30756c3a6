/** Words for codes of the API: stories and steps of operations, housekeeping, acts on the audit. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

export type CodeKind = "story" | "step" | "duty" | "action";

const KEY: Record<CodeKind, (code: string) => string> = {
  story: (code) => `story.${code}`,
  step: (code) => `step.${code}`,
  duty: (code) => `duty.${code}`,
  action: (code) => `action.${code}`,
};

/** `words("step", "forget_home")`; a code that a newer platform made is shown as it is, legibly. */
export function useCodeWords(): (kind: CodeKind, code: string) => string {
  const { t, i18n } = useTranslation("codes");
  return useCallback(
    (kind, code) => {
      const key = KEY[kind](code);
      return i18n.exists(key, { ns: "codes" }) ? t(key as "story.run_query") : code.replaceAll(/[_.]/g, " ");
    },
    [t, i18n],
  );
}
