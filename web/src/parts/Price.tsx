/** Prices that one agrees to are shown whole: rounded to a cent they would be others. */
import { useFormat } from "../app/format";

const DECIMALS = 4;

export function usePrice(): (eurPerHour: string | number) => string {
  const format = useFormat();
  return (eurPerHour) => format.number(Number(eurPerHour), { style: "currency", currency: "EUR", maximumFractionDigits: DECIMALS });
}

export function Price({ eurPerHour }: { eurPerHour: string }) {
  return <span className="tabular">{usePrice()(eurPerHour)}</span>;
}
