/**
 * Renders the manual: `deno run -A tasks/handbook/render.ts OUT` writes a static site to OUT. Pages
 * are `pages/NN-name.md` in the order of their numbers, each becoming `name.html`.
 */

// deno-lint-ignore-file no-import-prefix -- nothing but the manual needs this package
import { Marked, type Token, type Tokens } from "npm:marked@18.2.1";

/** A page of the manual. */
interface Page {
  /** File name in the site, e.g. `keys.html`. */
  readonly file: string;
  readonly title: string;
  readonly html: string;
  /** Its second-level headings. */
  readonly sections: readonly Section[];
}

interface Section {
  readonly id: string;
  readonly title: string;
}

const here = new URL("./", import.meta.url);

/** The style that the manual has in common with the report. */
const GROUND = "../../lib/report/page/style/ground.css";

/** Writes the whole site; what an earlier run left in the folder is removed. */
export function renderSite(out: string): void {
  const pages = readPages();
  Deno.mkdirSync(out, { recursive: true });
  for (const { name } of Deno.readDirSync(out)) Deno.removeSync(`${out}/${name}`);
  for (const page of pages) Deno.writeTextFileSync(`${out}/${page.file}`, layout(page, pages));
  Deno.writeTextFileSync(`${out}/style.css`, [GROUND, "style.css"].map(textOf).join("\n"));
  Deno.writeTextFileSync(`${out}/theme.js`, textOf("theme.js"));
}

function readPages(): Page[] {
  const folder = new URL("pages/", here);
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  return names.map((name) => {
    const file = name.replace(/^\d+-/, "").replace(/\.md$/, ".html");
    return readPage(file, Deno.readTextFileSync(new URL(name, folder)));
  });
}

function textOf(asset: string): string {
  return Deno.readTextFileSync(new URL(asset, here));
}

function readPage(file: string, source: string): Page {
  const marked = new Marked({ renderer: { heading, table, link, codespan } });
  const tokens = marked.lexer(source);
  const headings = tokens.filter((token): token is Tokens.Heading => token.type === "heading");
  const title = headings.find(({ depth }) => depth === 1)?.text;
  if (title === undefined) throw new Error(`${file} has no title: start the page with "# Title"`);
  return {
    file,
    title: plain(title),
    html: marked.parser(tokens as Token[]),
    sections: headings
      .filter(({ depth }) => depth === 2)
      .map(({ text }) => ({ id: slug(text), title: plain(text) })),
  };
}

// deno-lint-ignore no-explicit-any
function heading(this: any, { depth, text, tokens }: Tokens.Heading): string {
  const content = this.parser.parseInline(tokens);
  if (depth === 1) return `<h1>${content}</h1>\n`;
  const id = slug(text);
  return `<h${depth} id="${id}"><a href="#${id}">${content}</a></h${depth}>\n`;
}

/** Wide tables scroll by themselves, so that the page does not. */
// deno-lint-ignore no-explicit-any
function table(this: any, token: Tokens.Table): string {
  const row = (cells: readonly Tokens.TableCell[], tag: string) =>
    `<tr>${
      cells.map((cell) => `<${tag}>${this.parser.parseInline(cell.tokens)}</${tag}>`).join("")
    }</tr>`;
  const body = token.rows.map((cells) => row(cells, "td")).join("\n");
  return `<div class="table"><table><thead>${
    row(token.header, "th")
  }</thead><tbody>${body}</tbody></table></div>\n`;
}

/** Words such as `--push` are not broken at their hyphens, unless they are long. */
function codespan({ text }: Tokens.Codespan): string {
  const whole = (word: string) => word.length > 24 ? word : `<span>${word}</span>`;
  return `<code>${escape(text).replace(/\S*-\S*/g, whole)}</code>`;
}

/** Pages link to each other by their Markdown names, which editors can follow. */
// deno-lint-ignore no-explicit-any
function link(this: any, { href, tokens }: Tokens.Link): string {
  const target = href.replace(/^(?:\.\/)?\d+-([a-z-]+)\.md/, "$1.html");
  return `<a href="${escape(target)}">${this.parser.parseInline(tokens)}</a>`;
}

function layout(page: Page, pages: readonly Page[]): string {
  const at = pages.findIndex(({ file }) => file === page.file);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(page.title)} · images</title>
<link rel="stylesheet" href="style.css">
<script src="theme.js"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<nav aria-label="Manual">
<p class="brand"><a href="index.html">images</a><button id="theme" type="button">Theme</button></p>
<ul>
${pages.map((entry) => navigation(entry, entry.file === page.file)).join("\n")}
</ul>
</nav>
<main id="content">
${page.html}
<footer>${neighbour(pages[at - 1], "prev", "← ")}${
    neighbour(pages[at + 1], "next", "", " →")
  }</footer>
</main>
</body>
</html>
`;
}

function navigation({ file, title, sections }: Page, current: boolean): string {
  const mark = current ? ' aria-current="page"' : "";
  const inner = current && sections.length > 0
    ? `<ul>${
      sections.map(({ id, title }) => `<li><a href="#${id}">${escape(title)}</a></li>`).join("")
    }</ul>`
    : "";
  return `<li><a href="${file}"${mark}>${escape(title)}</a>${inner}</li>`;
}

function neighbour(page: Page | undefined, rel: string, before = "", after = ""): string {
  if (page === undefined) return "";
  return `<a rel="${rel}" href="${page.file}">${before}${escape(page.title)}${after}</a>`;
}

function plain(text: string): string {
  return text.replaceAll("`", "");
}

function slug(text: string): string {
  return plain(text).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

if (import.meta.main) {
  const [out] = Deno.args;
  if (out === undefined) throw new Error("Name the folder to write to");
  renderSite(out);
}
