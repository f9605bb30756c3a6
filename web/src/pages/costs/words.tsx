/** How keys, metrics, months and exact amounts are written. */
import { useTranslation } from "react-i18next";
import type { Schema } from "../../api/atoll";
import { useFormat } from "../../app/format";
import type { Key } from "./asked";

const METRICS = ["admission_seconds", "query_seconds", "scanned_bytes", "stored_byte_days", "machine_seconds", "machine_stored_byte_days", "released_bytes"] as const satisfies readonly Schema<"Metric">[];
const BYTES = /bytes?(_days)?$/;

/** Money, with the exact figure of the ledger on hover. */
export function Amount({ eur }: { eur: string }) {
  return <span className="tabular" title={`${eur} EUR`}>{useFormat().money(eur)}</span>;
}

export function useWords() {
  const { t, i18n } = useTranslation("costs");
  const format = useFormat();
  const metric = (name: string) => {
    const known = METRICS.find((one) => one === name);
    return known === undefined ? name : t(`metric.${known}`);
  };
  return {
    metric,
    /** What a line of a report stands for. */
    key: (by: Key, key: string) => (by === "metric" ? metric(key) : key === "-" ? t(`none.${by}`) : key),
    month: (month: string) => new Intl.DateTimeFormat(i18n.language, { month: "long", year: "numeric", timeZone: "UTC" }).format(new Date(`${month}-01T00:00:00Z`)),
    day: (day: string) => new Intl.DateTimeFormat(i18n.language, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`)),
    /** A quantity in its metric's unit. */
    quantity: (of: Schema<"Metric">, quantity: string) => {
      const value = Number(quantity);
      if (!BYTES.test(of)) return format.number(value, { style: "unit", unit: "second", unitDisplay: "short", maximumFractionDigits: 3 });
      const size = `${value < 0 ? "−" : ""}${format.bytes(Math.abs(value))}`;
      return of.endsWith("days") ? t("byteDays", { size }) : size;
    },
  };
}
