import { assert, assertEquals, assertMatch } from "@std/assert";
import { SteeredProject } from "../support/steered.ts";
import { toolTest } from "../support/tools.ts";
import { alike, endInOrder, run, screen, shows, TOOLS } from "./screens.ts";

const EIGHT = {
  base: {},
  tools: {},
  api: { needs: ["base"] },
  web: { needs: ["base"] },
  worker: { needs: ["base", "tools"] },
  site: { needs: ["web"] },
  docs: {},
  proxy: {},
};

const NAMES = Object.keys(EIGHT);

toolTest(TOOLS, "a cold build of eight images, and the run after it", async (t) => {
  await using steered = await SteeredProject.create(EIGHT, NAMES);

  await t.step("shows what was built, what is going on, and how far it is", async () => {
    await using terminal = await run(steered, ["build", "-j", "8"]);
    await terminal.until(shows("* docs"));
    await endInOrder(steered, terminal, "base", "proxy");
    await steered.tell("tools", { log: "not shown" }, { phase: "step", done: 12, total: 20 });
    await steered.tell("docs", { phase: "layer", done: 3, total: 7 });
    const pulling = { phase: "pulling", done: 45.2e6, total: 203.1e6, unit: "bytes" } as const;
    await steered.tell("web", pulling);
    const live = await terminal.until(shows("* api", "45.2/203.1", "step 12/20", "layer 3/7"));
    assertEquals(
      alike(live),
      screen(`
        ✓ base    built          #.# s  first build
        ✓ proxy   built          #.# s  first build
        * tools   step 12/20     #.# s  first build
        * api     building       #.# s  first build
        * web     building       #.# s  pulling 45.2/203.1 MB, first build
        * docs    layer 3/7      #.# s  first build
        [2/8] 4 running, 2 waiting, #.# s
      `),
    );
    assertEquals(await terminal.hasCursor(), false);
    await endInOrder(steered, terminal, "tools", "docs", "api", "web", "worker", "site");
    assertEquals(await terminal.ended(), 0);
    assertEquals(
      alike(await terminal.screen()),
      screen(`
        ✓ base    built          #.# s  first build
        ✓ proxy   built          #.# s  first build
        ✓ tools   built          #.# s  first build
        ✓ docs    built          #.# s  first build
        ✓ api     built          #.# s  first build
        ✓ web     built          #.# s  first build
        ✓ worker  built          #.# s  first build
        ✓ site    built          #.# s  first build
        done: 8 built in #.# s
        critical path: base #.# s → web #.# s → site #.# s
      `),
    );
    assertEquals(await terminal.hasCursor(), true);
  });

  await t.step(
    "each frame is one write that clears nothing before it is written over",
    async () => {
      await using terminal = await run(steered, ["build", "--force", "base"]);
      await steered.tell("base", { phase: "layer", done: 1, total: 2 });
      await terminal.until(shows("layer 1/2"));
      await steered.end("base");
      await terminal.ended();
      const raw = terminal.raw.replaceAll("\x1b", "ESC");
      const frames = raw.split("ESC[?2026h").slice(1);
      assert(frames.length >= 2);
      for (const frame of frames) assertMatch(frame, /^(ESC\[\d+A)?\r[^]*ESC\[JESC\[\?2026l/);
      assertEquals(raw.match(/ESC\[[012]?J/g)?.length, frames.length);
      assertEquals(raw.match(/ESC\[2K/g), null);
    },
  );

  await t.step("a run that finds everything up to date is one line", async () => {
    await using terminal = await run(steered, ["build"]);
    assertEquals(await terminal.ended(), 0);
    assertEquals(
      alike(await terminal.screen()),
      "up to date: 8 cached in #.# s (#.# s saved)",
    );
  });
});

toolTest(TOOLS, "a failure among eight is shown with its output, and told again", async () => {
  await using steered = await SteeredProject.create(EIGHT, NAMES);
  await using terminal = await run(steered, ["build", "-j", "8", "--keep-going"]);
  await endInOrder(steered, terminal, "base", "proxy", "tools", "docs");
  await steered.tell("api", { log: "an api that is not shown" });
  await steered.tell("web", { log: "compiling" }, { log: "src/main.ts:3 \x1b[2J漢字 is wrong" });
  await steered.tell("web", { fail: "it does not compile" });
  await terminal.until(shows("✗ web"));
  await endInOrder(steered, terminal, "api", "worker");
  assertEquals(await terminal.ended(), 1);
  assertEquals(
    alike(await terminal.screen()),
    screen(`
      ✓ base    built          #.# s  first build
      ✓ proxy   built          #.# s  first build
      ✓ tools   built          #.# s  first build
      ✓ docs    built          #.# s  first build
      ✗ web     failed         #.# s  it does not compile
        │ compiling
        │ src/main.ts:3 漢字 is wrong
        next: mend it
        log: .images/logs/web.log
      ✓ api     built          #.# s  first build
      ✓ worker  built          #.# s  first build
      skipped site: Not built, since "web" failed
      failed web: it does not compile (log: .images/logs/web.log)
      failed: 6 built, 1 skipped, 1 failed in #.# s
      critical path: tools #.# s → worker #.# s
    `),
  );
});

toolTest(TOOLS, "Ctrl-C ends what runs, says so, and gives the terminal back", async () => {
  await using steered = await SteeredProject.create(EIGHT, NAMES);
  await using terminal = await run(steered, ["build", "-j", "8"]);
  await endInOrder(steered, terminal, "base");
  await terminal.until(shows("5 running"));
  await terminal.press("C-c");
  assertEquals(await terminal.ended(), 130);
  assertEquals(
    alike(await terminal.screen()),
    screen(`
      ✓ base    built          #.# s  first build
      note: Interrupted: what runs is being ended; once more ends it at once
      skipped tools, api, web, worker, site, docs, proxy: Not built: interrupted
      interrupted: 1 built, 7 skipped in #.# s
    `),
  );
  assertEquals(await terminal.hasCursor(), true);
});

toolTest(TOOLS, "forty columns are enough, for long names and wide characters too", async (t) => {
  const long = "an-image-with-quite-a-long-name-indeed";
  await using steered = await SteeredProject.create({
    base: {},
    [long]: { inputs: ["文書/**"] },
  }, ["base", long]);
  steered.project.write({ "文書/説明書と参考資料.md": "1\n" });

  await t.step("columns that have no place are left out, and what stays is whole", async () => {
    await using terminal = await run(steered, ["build"], { columns: 40 });
    await steered.tell(long, { phase: "layer", done: 3, total: 7 });
    assertEquals(
      alike(await terminal.until(shows("* base", "layer 3/7"))),
      screen(`
        * base          building       #.# s
        * an-ima…ndeed  layer 3/7      #.# s
        [0/2] 2 running, #.# s
      `),
    );
    await endInOrder(steered, terminal, "base", long);
    assertEquals(await terminal.ended(), 0);
    assertEquals(
      alike(await terminal.screen()),
      screen(`
        ✓ base          built          #.# s
        ✓ an-image-with-quite-a-long-name-indeed
          built          #.# s
        done: 2 built in #.# s
      `),
    );
  });

  await t.step("wide characters are cut where they no longer fit", async () => {
    steered.project.write({ "文書/説明書と参考資料.md": "2\n" });
    await using terminal = await run(steered, ["build"], { columns: 70 });
    assertEquals(
      alike(await terminal.until(shows("building"))),
      screen(`
        * an-image-w…me-indeed  building       #.# s  ~ 文書/説明書と参考資…
        [1/2] 1 running, #.# s
      `),
    );
    await endInOrder(steered, terminal, long);
  });
});

/** Milliseconds that the run has taken, as the last line of a frame says. */
function elapsed(seen: string): number {
  const [, value, unit] = /([\d.]+) (ms|s)$/.exec(seen) ?? [];
  return Number(value) * (unit === "s" ? 1_000 : 1);
}

toolTest(
  TOOLS,
  "a terminal may become narrower or wider",
  async () => {
    await using steered = await SteeredProject.create(EIGHT, NAMES);
    await using terminal = await run(steered, ["build", "-j", "8"], { columns: 100 });
    await endInOrder(steered, terminal, "base", "tools", "docs", "proxy");
    await terminal.until(shows("* api", "* web", "* worker"));
    const sizes = [[40, 24], [120, 24], [40, 24], [120, 8], [60, 30]] as const;
    for (const [columns, rows] of sizes) {
      // Resizes in quick succession tmux hands on with a delay, so frames would be of the old size.
      const before = elapsed(await terminal.screen());
      await terminal.until((seen) => elapsed(seen) > before + 500);
      await terminal.resize(columns, rows);
      const phase = `at${columns}`;
      const why = columns < 50 ? "" : "  first build";
      await steered.tell("api", { phase });
      const expected = screen(`
        * api     ${phase.padEnd(11)}    #.# s${why}
        * web     building       #.# s${why}
        * worker  building       #.# s${why}
        [4/8] 3 running, 1 waiting, #.# s
      `);
      await terminal.until((seen) => alike(seen).split("\n").slice(-4).join("\n") === expected);
      // What stays may be wrapped, and may have left the screen; of earlier frames nothing is left.
      const above = alike(await terminal.screen()).split("\n").slice(0, -4).join("");
      for (const line of above.split("first build").slice(1)) assertMatch(line, /^(✓ .*)?$/);
    }
    await endInOrder(steered, terminal, "api", "web", "worker", "site");
    assertEquals(await terminal.ended(), 0);
    const history = alike(await terminal.history());
    for (const name of NAMES) assertEquals(history.split(`✓ ${name} `).length, 2, name);
  },
);

toolTest(
  TOOLS,
  "two hundred images scroll up as they are built",
  async (t) => {
    const names = Array.from({ length: 200 }, (_, at) => `image-${String(at).padStart(3, "0")}`);
    const images = Object.fromEntries(names.map((name) => [name, {}]));
    await using steered = await SteeredProject.create(images);

    await t.step("with a few at once", async () => {
      await steered.wait("image-050", "image-150");
      await using terminal = await run(steered, ["build", "-j", "4"], { rows: 12 });
      const live = alike(await terminal.until(shows("[198/200]", "* image-050", "* image-150")));
      const lines = live.split("\n");
      for (const line of lines.slice(0, -3)) assertMatch(line, /^✓ image-\d{3} {2}built {2}/);
      assertEquals(
        lines.slice(-3).join("\n"),
        screen(`
        * image-050  building       #.# s  first build
        * image-150  building       #.# s  first build
        [198/200] 2 running, #.# s
      `),
      );
      await endInOrder(steered, terminal, "image-050", "image-150");
      assertEquals(await terminal.ended(), 0);
      const history = alike(await terminal.history()).split("\n");
      assertEquals(history.at(-1), "done: 200 built in #.# s");
      assertEquals(history.slice(0, -1).map((line) => line.slice(0, 11)).sort(), [
        ...names.map((name) => `✓ ${name}`),
      ]);
    });

    await t.step("with more at once than there are rows", async () => {
      const waiting = names.slice(0, 30).filter((name) => name !== "image-050");
      await steered.wait(...waiting);
      await steered.end("image-050", "image-150");
      await using terminal = await run(steered, ["build", "--force", "-j", "31"], { rows: 8 });
      assertEquals(
        alike(await terminal.until(shows("[170/200]", "30 running"))).split("\n").slice(-7)
          .join("\n"),
        screen(`
        * image-000  building       #.# s  forced
        * image-001  building       #.# s  forced
        * image-002  building       #.# s  forced
        * image-003  building       #.# s  forced
        * image-004  building       #.# s  forced
          and 25 more
        [170/200] 30 running, #.# s
      `),
      );
      await terminal.press("C-c");
      assertEquals(await terminal.ended(), 130);
    });
  },
);
