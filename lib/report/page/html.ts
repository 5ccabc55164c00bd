/** Markup that is safe to put together: texts become part of a page only through {@link markup}. */

/** A piece of a page. */
export class Html {
  /** Its markup. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What a template's gaps take: nothing, texts, which are escaped, and pieces, which are not. */
export type Content = undefined | false | string | number | Html | readonly Content[];

/** A piece of a page; what stands in its gaps is escaped, in texts and in quoted attributes alike. */
export function markup(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  return new Html(
    strings.map((part, at) => (at === 0 ? "" : written(values[at - 1])) + part).join(""),
  );
}

function written(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.text;
  if (typeof content === "object") return content.map(written).join("");
  return escapeText(String(content));
}

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Escapes a text. Characters that are not seen, or turn around what is, are named instead. */
export function escapeText(text: string): string {
  return nameUnseen(text).replace(/[&<>"']/g, (found) => ENTITIES[found]!);
}

/** Control characters, and those that change the direction of a text. */
const UNSEEN =
  // deno-lint-ignore no-control-regex
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text in which such characters are named: `⟨U+202E⟩`. */
export function nameUnseen(text: string): string {
  return text.replace(UNSEEN, (found) => {
    const code = found.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0");
    return `⟨U+${code}⟩`;
  });
}
