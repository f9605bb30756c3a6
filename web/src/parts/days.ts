/** Days as one picks them (`2030-01-31`), in one's own zone, as moments the API takes. */

/** The text (of an address, say) when it is a day, otherwise nothing. */
export function dayOf(text: string | null): string {
  return text !== null && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? text : "";
}

/** The day's first moment. */
export function startOf(day: string): string {
  return new Date(`${day}T00:00:00`).toISOString();
}

/** The first moment of the day after: the day itself is counted in. */
export function endOf(day: string): string {
  const date = new Date(`${day}T00:00:00`);
  date.setDate(date.getDate() + 1);
  return date.toISOString();
}
