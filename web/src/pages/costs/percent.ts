/** Percent as people write it and parts as the API has them; both are decimal texts, and stay so. */

/** `80` is `0.80`, `12.5` is `0.125`. */
export function partOf(percent: string): string {
  const [whole = "", fraction = ""] = percent.trim().replace(",", ".").split(".");
  const digits = whole.padStart(3, "0");
  return `${digits.slice(0, -2)}.${digits.slice(-2)}${fraction}`;
}

/** `0.8` is `80`, `0.125` is `12.5`. */
export function percentOf(part: string): string {
  const [whole = "0", fraction = ""] = part.split(".");
  const digits = fraction.padEnd(2, "0");
  const text = `${whole}${digits.slice(0, 2)}`.replace(/^0+(?=\d)/, "");
  const rest = digits.slice(2).replace(/0+$/, "");
  return rest === "" ? text : `${text}.${rest}`;
}
