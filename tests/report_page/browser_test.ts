import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { renderPage } from "../../lib/report/page/page.ts";
import { type Browser, startBrowser } from "../support/real/chromium.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { toolTest } from "../support/tools.ts";
import { type NodeSketch, pageOf } from "./rig.ts";

const HOSTILE = `<img src=x onerror="alert(1)"></script><script>console.log("ran")</script>`;

const NODES: readonly NodeSketch[] = [
  { id: "base", worked: [0, 4_000] },
  { id: "app", worked: [4_000, 9_000], needs: ["base"] },
  { id: "api", worked: [4_000, 6_000], needs: ["base"], status: "failed" },
  { id: "docs", status: "cached" },
  { id: HOSTILE, worked: [10, 700], needs: ["docs"], text: HOSTILE },
];

toolTest(["chromium"], "the page of a run in a browser", async (t) => {
  await using folder = await tempFolder("page");
  const path = `${folder.path}/report.html`;
  await Deno.writeTextFile(path, await renderPage(pageOf(NODES)));
  await using browser = await startBrowser();
  const open = async (width: number, scheme: "light" | "dark") => {
    await browser.show({ width, height: 900, scheme });
    await browser.open(`file://${path}`);
  };

  await t.step("fits wide and narrow screens, in light and in dark", async () => {
    const papers = new Set<string>();
    for (const width of [1280, 400]) {
      for (const scheme of ["light", "dark"] as const) {
        await open(width, scheme);
        const wide = await browser.evaluate<number>("document.documentElement.scrollWidth");
        assertEquals(wide, width);
        papers.add(await color(browser, "background-color"));
        assertNotEquals(await color(browser, "color"), await color(browser, "background-color"));
        assertEquals((await browser.screenshot()).slice(1, 4), new TextEncoder().encode("PNG"));
      }
    }
    assertEquals(papers.size, 2);
  });

  await t.step("shows graph, timeline, images, layers and failures", async () => {
    await open(1280, "light");
    const count = (selector: string) =>
      browser.evaluate<number>(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
    assertEquals(await count("svg.graph .box"), 5);
    assertEquals(await count("svg.graph .edge"), 3);
    assertEquals(await count(".timeline .bar"), 4);
    assertEquals(await count("details.card"), 5);
    assertEquals(await count(".stack i"), 10);
    assertEquals(await count(".failure"), 1);
    const title = await browser.evaluate<string>("document.querySelector('h1').textContent");
    assertMatch(title, /^1 failed, 3 built/);
  });

  await t.step("is used by keyboard", async () => {
    await open(1280, "light");
    const focused = () =>
      browser.evaluate<string>("document.activeElement.closest('details')?.dataset.node ?? ''");
    const isOpen = () =>
      browser.evaluate<boolean>("document.activeElement.closest('details').open");
    await browser.press("j");
    assertEquals(await focused(), "base");
    await browser.press("j");
    assertEquals(await focused(), "app");
    await browser.press("k");
    assertEquals(await focused(), "base");
    assertEquals(await isOpen(), false);
    await browser.press("Enter");
    assertEquals(await isOpen(), true);
    const theme = () => browser.evaluate<string>("document.documentElement.dataset.theme");
    await browser.press("t");
    assertEquals(await theme(), "dark");
    await browser.press("/");
    await browser.press("d");
    await browser.press("o");
    const shown = () =>
      browser.evaluate<string>(
        "[...document.querySelectorAll('details.card:not([hidden])')].map((e) => e.dataset.node).join()",
      );
    assertEquals(await shown(), "docs");
    await browser.press("Escape");
    assertEquals((await shown()).split(",").length, 5);
    await browser.press("e");
    const open5 = "document.querySelectorAll('details.card[open]').length";
    assertEquals(await browser.evaluate<number>(open5), 5);
    await browser.press("?");
    assert(await browser.evaluate<boolean>("document.getElementById('keys').open"));
    await browser.press("Escape");
    assertEquals(await browser.evaluate<boolean>("document.getElementById('keys').open"), false);
  });

  await t.step("leads from a bar or a box to what it stands for", async () => {
    await open(1280, "dark");
    await browser.evaluate("document.querySelector('svg.graph .box[data-node=api]').focus()");
    await browser.press("Enter");
    await browser.evaluate("new Promise((resolve) => requestAnimationFrame(resolve))");
    assertEquals(
      await browser.evaluate<string>("document.querySelector('details.card[open]').dataset.node"),
      "api",
    );
  });

  assertEquals(browser.complaints, []);
  assertEquals([...new Set(browser.requests.map((url) => url.replace(/#.*/, "")))], [
    `file://${path}`,
  ]);
});

function color(browser: Browser, property: string): Promise<string> {
  return browser.evaluate(`getComputedStyle(document.body).getPropertyValue("${property}")`);
}
