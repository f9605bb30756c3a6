/** The texts of the page, in one's language. The platform's own pages have theirs in src/locales. */
import en from "./en.json";
import fr from "./fr.json";

export type Word = keyof typeof en;

const LANGUAGES: Record<string, Record<Word, string>> = { en, fr };

export const language = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one in LANGUAGES) ?? "en";

export function words(key: Word, values: Record<string, string> = {}): string {
  const text = LANGUAGES[language]?.[key] ?? en[key];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
}
