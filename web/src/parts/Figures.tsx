/** Money, sizes, durations and moments in one's language. Figures of a column line up. */
import { useEffect, useState } from "react";
import { useFormat } from "../app/format";

export function Money({ amount, currency = "EUR" }: { amount: string | number; currency?: string }) {
  return <span className="tabular">{useFormat().money(amount, currency)}</span>;
}

/** A sum at a glance, the exact figure on hover. */
export function Sum({ amount }: { amount: string | number }) {
  return <span className="tabular" title={String(amount)}>{useFormat().sum(amount)}</span>;
}

export function Bytes({ bytes }: { bytes: number }) {
  return <span className="tabular">{useFormat().bytes(bytes)}</span>;
}

export function Count({ value }: { value: number }) {
  return <span className="tabular">{useFormat().number(value)}</span>;
}

export function Duration({ seconds }: { seconds: number }) {
  return <span className="tabular">{useFormat().duration(seconds)}</span>;
}

const TICK_MS = 20_000;

/** `5 minutes ago`, the whole date on hover; `absolute` shows the date itself. */
export function When({ at, absolute = false }: { at: string | null | undefined; absolute?: boolean }) {
  const format = useFormat();
  const [, tick] = useState(0);
  useEffect(() => {
    if (absolute) return undefined;
    const timer = setInterval(() => {
      tick((n) => n + 1);
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, [absolute]);
  if (!at) return <span aria-hidden="true">{"–"}</span>;
  const whole = format.dateTime(at);
  return (
    <time dateTime={at} title={whole} className="whole">
      {absolute ? whole : format.ago(at)}
    </time>
  );
}
