/** Words in one's language. Each language is one file that is loaded when it is asked for. */
import dayjs from "dayjs";
import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import { queries } from "./queries";

export const LANGUAGES = { en: "English", fr: "Français" } as const;
export type Language = keyof typeof LANGUAGES;

const KEPT = "atoll-language";

const LOADERS = {
  en: () => import("../locales/en"),
  fr: async () => {
    await import("dayjs/locale/fr");
    return import("../locales/fr");
  },
} as const;

function isLanguage(text: string | null | undefined): text is Language {
  return text === "en" || text === "fr";
}

function preferred(): Language {
  const kept = localStorage.getItem(KEPT);
  if (isLanguage(kept)) return kept;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "en";
}

async function load(language: Language): Promise<void> {
  if (i18next.hasResourceBundle(language, "common")) return;
  const { words } = await LOADERS[language]();
  for (const [namespace, texts] of Object.entries(words)) i18next.addResourceBundle(language, namespace, texts);
}

export async function startLanguage(): Promise<void> {
  const language = preferred();
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: false,
    supportedLngs: Object.keys(LANGUAGES),
    resources: {},
    defaultNS: "common",
    // React escapes.
    interpolation: { escapeValue: false },
    returnEmptyString: false,
  });
  await load(language);
  show(language);
}

/** Change the language of everything, and keep it for the next visit. */
export async function setLanguage(language: Language): Promise<void> {
  await load(language);
  localStorage.setItem(KEPT, language);
  await i18next.changeLanguage(language);
  show(language);
  // What the API told, it told in the language of before.
  await queries.invalidateQueries();
}

function show(language: Language): void {
  document.documentElement.lang = language;
  dayjs.locale(language);
}
