const RFC3339 =
  /^(\d{4}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d+))?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** A time as Go writes it after reading it: no trailing zeros of a second, `Z` for no offset. */
export function goTime(text: string): string | undefined {
  const [, seconds, fraction = "", zone = ""] = RFC3339.exec(text) ?? [];
  if (seconds === undefined || Number.isNaN(Date.parse(`${seconds}Z`))) return undefined;
  const digits = fraction.slice(0, 9).replace(/0+$/, "");
  return seconds + (digits === "" ? "" : `.${digits}`) + (/^[+-]00:00$/.test(zone) ? "Z" : zone);
}
