/** Texts of CI files, parts of which are only known when CI runs. */

const MARK = "\0";

/** A text that stands for an expression whose value is not known here. */
export function unknown(expression: string): string {
  const shown = expression.replaceAll(MARK, "").replace(/[\s{}]+/g, " ").trim();
  return `${MARK}${shown || "a value"}${MARK}`;
}

/** Tells whether all of a text is known. */
export function isKnown(text: string): boolean {
  return !text.includes(MARK);
}

/** The expressions of a text that are not known, for people. */
export function unknownParts(text: string): string[] {
  return [...new Set(text.split(MARK).filter((_, index) => index % 2 === 1))];
}

/** Replaces each unknown expression of a text. */
export function replaceUnknown(text: string, replace: (expression: string) => string): string {
  return text.split(MARK).map((part, index) => index % 2 === 1 ? replace(part) : part).join("");
}

/** The end of an unknown expression that begins at `start`, else `start` itself. */
export function endOfUnknown(text: string, start: number): number {
  if (text[start] !== MARK) return start;
  const end = text.indexOf(MARK, start + 1);
  return end < 0 ? text.length : end + 1;
}
