/** Numbers, money, sizes and times as one's language writes them, in one's zone. */
import { useTranslation } from "react-i18next";

const STEPS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
] as const;
const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte", "petabyte"] as const;
/** Below this a price shows four decimals: a cent would hide it. */
const SMALL_EUR = 0.1;
const TINY_EUR = 0.001;
const CENT_EUR = 0.01;

export interface Format {
  number: (value: number, options?: Intl.NumberFormatOptions) => string;
  percent: (part: number) => string;
  /** `amount` as the API tells it: a decimal number as text. */
  money: (amount: string | number, currency?: string) => string;
  /** A sum for a glance: under a cent it says that it is. */
  sum: (amount: string | number, currency?: string) => string;
  /** Powers of ten, as disks and networks are sold. */
  bytes: (bytes: number) => string;
  duration: (seconds: number) => string;
  date: (at: string | Date) => string;
  dateTime: (at: string | Date) => string;
  ago: (at: string | Date, now?: number) => string;
  /** `a, b and c`. */
  list: (texts: readonly string[]) => string;
}

export function formatIn(language: string): Format {
  const number: Format["number"] = (value, options) => new Intl.NumberFormat(language, options).format(value);
  const money: Format["money"] = (amount, currency = "EUR") => {
    const value = Number(amount);
    const small = value !== 0 && Math.abs(value) < SMALL_EUR;
    // Parts of a cent add up: below what four decimals show, the first two digits that are not 0.
    if (small && Math.abs(value) < TINY_EUR) return number(value, { style: "currency", currency, maximumSignificantDigits: 2 });
    return number(value, { style: "currency", currency, maximumFractionDigits: small ? 4 : 2 });
  };
  return {
    number,
    percent: (part) => number(part, { style: "percent", maximumFractionDigits: 0 }),
    money,
    sum: (amount, currency = "EUR") => {
      const value = Number(amount);
      if (value > 0 && value < CENT_EUR) return `< ${number(CENT_EUR, { style: "currency", currency })}`;
      return number(value, { style: "currency", currency });
    },
    bytes: (bytes) => {
      const step = bytes < 1000 ? 0 : Math.min(Math.floor(Math.log10(bytes) / 3), UNITS.length - 1);
      const value = bytes / 1000 ** step;
      const unit = UNITS[step] ?? "byte";
      return number(value, { style: "unit", unit, unitDisplay: step === 0 ? "long" : "short", maximumFractionDigits: value < 10 && step > 0 ? 1 : 0 });
    },
    duration: (seconds) => {
      const whole = Math.max(0, Math.round(seconds));
      const steps = [
        [Math.floor(whole / 86_400), "day"],
        [Math.floor(whole / 3600) % 24, "hour"],
        [Math.floor(whole / 60) % 60, "minute"],
        [whole % 60, "second"],
      ] as const;
      const first = steps.findIndex(([value]) => value > 0);
      const shown = first < 0 ? steps.slice(3) : steps.slice(first, first + 2).filter(([value]) => value > 0);
      return shown
        .map(([value, unit]) => number(value, { style: "unit", unit, unitDisplay: "narrow" }))
        .join(" ");
    },
    date: (at) => new Intl.DateTimeFormat(language, { dateStyle: "medium" }).format(new Date(at)),
    dateTime: (at) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(new Date(at)),
    ago: (at, now = Date.now()) => {
      const seconds = Math.round((new Date(at).getTime() - now) / 1000);
      const [unit, size] = STEPS.find(([, one]) => Math.abs(seconds) >= one) ?? ["second", 1];
      return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(Math.trunc(seconds / size), unit);
    },
    list: (texts) => new Intl.ListFormat(language).format(texts),
  };
}

const FORMATS = new Map<string, Format>();

/** `const format = useFormat(); format.money("12.5")`. */
export function useFormat(): Format {
  const { language } = useTranslation().i18n;
  const known = FORMATS.get(language);
  if (known !== undefined) return known;
  const made = formatIn(language);
  FORMATS.set(language, made);
  return made;
}
