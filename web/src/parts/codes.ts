/** Words for codes of the API: stories and steps of operations, facts of their log lines, housekeeping, acts on the audit. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";

export type CodeKind = "story" | "step" | "duty" | "action" | "fact";

const KEY: Record<CodeKind, (code: string) => string> = {
  story: (code) => `story.${code}`,
  step: (code) => `step.${code}`,
  duty: (code) => `duty.${code}`,
  fact: (code) => `fact.${code}`,
  // A kind and what was done to it; `person.erase.fail` is kept at `person.erase_fail`, beside `person.erase`.
  action: (code) => {
    const [kind = "", ...done] = code.split(".");
    return `action.${kind}.${done.join("_")}`;
  },
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
