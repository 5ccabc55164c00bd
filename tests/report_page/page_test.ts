import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { escapeText, markup } from "../../lib/report/page/html.ts";
import { renderPage } from "../../lib/report/page/page.ts";
import { pageOf } from "./rig.ts";

/** Texts with everything in them that means something in markup. */
const hostile = fc.array(
  fc.oneof(
    fc.constantFrom(
      ...["<", ">", "&", '"', "'", "`", "</script>", "<script>", "<!--", "-->", "]]>", "=", " "],
      ...["\u001b[31m", "\u001b]8;;http://evil.example/\u0007", "\u202e", "\u0000", "\r", "\n"],
      ...["${", "}", "\\", "javascript:", "onload=", "\ud800", "\udc00", "\u2028"],
    ),
    fc.string({ unit: "binary", maxLength: 4 }),
  ),
  { maxLength: 8 },
).map((parts) => parts.join(""));

/** The texts and attributes of markup; anything but the tags below is a fault. */
function tagsOf(page: string): string[] {
  return [...page.matchAll(/<[^>]*>?/g)].map(([tag]) => tag);
}

Deno.test("escapeText() leaves nothing that ends a text or an attribute, and hides nothing", () => {
  fc.assert(fc.property(hostile, (text) => {
    const escaped = escapeText(text);
    // deno-lint-ignore no-control-regex
    assertEquals(/[<>"'\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]/.exec(escaped), null);
    assert(escaped.isWellFormed());
    assertEquals(tagsOf(markup`<p title="${text}">${text}</p>`.text).length, 2);
  }));
});

Deno.test("the page of a large run draws what took longest", async () => {
  const sketches = Array.from({ length: 1_000 }, (_, at) => ({
    id: `node-${at}`,
    worked: [at, at + (at % 7 === 0 ? 500 : 1)] as const,
    needs: at === 0 ? [] : ["node-0"],
  }));
  const page = await renderPage(pageOf(sketches));
  const count = (pattern: RegExp) => [...page.matchAll(pattern)].length;
  assertEquals(count(/<details class="card"/g), 1_000);
  assertEquals(count(/<span class="bar /g), 60);
  assertEquals(count(/class="box /g), 100);
  const timeline = page.slice(page.indexOf('id="timeline"'), page.indexOf('id="graph"'));
  const rows = [...timeline.matchAll(/<li data-node="node-(\d+)"/g)].map(([, at]) => Number(at));
  assertEquals(rows.filter((at) => at % 7 !== 0), []);
});

Deno.test("no text of a run becomes markup, wherever the page shows it", async () => {
  const tags = async (text: string) =>
    tagsOf(
      await renderPage(pageOf([
        { id: `a ${text}`, worked: [0, 10], status: "failed", text },
        { id: `b ${text}`, worked: [5, 20], needs: [`a ${text}`], text },
      ], `p ${text}`)),
    ).map((tag) => tag.match(/^<\/?[a-z!]+/i)?.[0] ?? tag);
  const plain = await tags("x");
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      const found = await tags(text === "" ? "x" : text);
      // A log's colours are spans of their own.
      const others = (all: string[]) => all.filter((tag) => !/^<\/?span$/.test(tag));
      assertEquals(others(found), others(plain));
    }),
    { numRuns: 40 },
  );
});
