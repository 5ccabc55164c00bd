import { assertEquals } from "@std/assert";
import { fileSelections, withLinksFollowed } from "../../lib/files/links.ts";

/** What globs lead to in a folder that holds these links, and `sub/file` in a real folder. */
function followedIn(
  links: Readonly<Record<string, string>>,
  globs: readonly string[],
  real = "real",
): string[] {
  const parent = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "images-links-" }));
  try {
    const root = `${parent}/tree`;
    Deno.mkdirSync(`${root}/${real}/sub`, { recursive: true });
    Deno.mkdirSync(`${parent}/outside`);
    Deno.writeTextFileSync(`${root}/${real}/sub/file`, "");
    for (const [path, target] of Object.entries(links)) {
      Deno.symlinkSync(target.replace("$ROOT", root), `${root}/${path}`);
    }
    return withLinksFollowed(root, globs).slice(globs.length);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
}

Deno.test("a glob counts for what links before its wildcards lead to", () => {
  const links = {
    link: "real",
    file: "link/sub/file",
    absolute: "$ROOT/real",
    "real/up": "../link",
  };
  const followed = (glob: string) => followedIn(links, [glob]);
  assertEquals(followed("link/**"), ["real/**"]);
  assertEquals(followed("./link/sub/*.ts"), ["real/sub/*.ts"]);
  assertEquals(followed("!link/sub/file"), ["!real/sub/file"]);
  assertEquals(followed("link/"), ["real/"]);
  assertEquals(followed("file"), ["real/sub/file"]);
  assertEquals(followed("absolute/sub"), ["real/sub"]);
  assertEquals(followed("real/up/sub/{a,b}"), ["real/sub/{a,b}"]);
});

Deno.test("other globs count for themselves alone", () => {
  const links = { link: "real", out: "../outside", loop: "loop", broken: "gone" };
  const plain = ["real/**", "**", "*/sub", "real/sub/file", "gone/*", "!**/file", "{link,real}/**"];
  const leadNowhere = ["out/*", "out", "loop/*", "broken", "link/none/*"];
  assertEquals(followedIn(links, [...plain, ...leadNowhere]), []);
});

Deno.test("what a link leads to is meant letter by letter", () => {
  assertEquals(followedIn({ link: "[a] (b)*" }, ["link/*"], "[a] (b)*"), [
    "\\[a\\] \\(b\\)\\*/*",
  ]);
});

Deno.test("a file is selected where it is, with the links on its way", () => {
  const parent = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "images-links-" }));
  try {
    const root = `${parent}/tree`;
    Deno.mkdirSync(`${root}/real/sub`, { recursive: true });
    const store = `/store/${"0".repeat(32)}-image`;
    const links = {
      "real/up": "..",
      loop: "loop",
      result: store,
      out: "../outside/x",
      "[a]": `${root}/real`,
      "../outside": "elsewhere",
    };
    for (const [path, target] of Object.entries(links)) {
      Deno.symlinkSync(target, `${root}/${path}`);
    }
    const inside = (...include: string[]) => [{ root: ".", include }];
    assertEquals(fileSelections(root, "./real//sub/file"), inside("real/sub/file"));
    assertEquals(fileSelections(root, "real/up/real/x"), inside("real/up", "real/x"));
    assertEquals(fileSelections(root, "[a]/x"), inside("\\[a\\]", "real/x"));
    assertEquals(fileSelections(root, "loop/x"), inside("loop"));
    assertEquals(fileSelections(root, "result/x"), inside("result"));
    assertEquals(fileSelections(root, "../beside"), [
      { root: "..", include: ["beside"], as: "../" },
    ]);
    assertEquals(fileSelections(root, "out"), [
      ...inside("out"),
      { root: "..", include: ["outside"], as: "../" },
      { root: "../elsewhere", include: ["x"], as: "../elsewhere/" },
    ]);
  } finally {
    Deno.removeSync(parent, { recursive: true });
  }
});
