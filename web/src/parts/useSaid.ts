/** What the API says in a sentence of a closed set, in one's language; a sentence that is of none, or newer, as it is. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Schema } from "../api/atoll";

const KEY_OF: Record<string, (code: string) => string> = {
  idle: (code) => `idle.${code}`,
  wish: (code) => `wish.${code}`,
};

type Words = (key: string, values: Record<string, string>) => string;

export function useSaid(): (sentence: string, said: Schema<"Said"> | null | undefined) => string {
  const { t, i18n } = useTranslation("said");
  return useCallback(
    (sentence, said) => {
      const key = said ? KEY_OF[said.kind]?.(said.code) : undefined;
      return said && key !== undefined && i18n.exists(key, { ns: "said" }) ? (t as Words)(key, said.values) : sentence;
    },
    [t, i18n],
  );
}
