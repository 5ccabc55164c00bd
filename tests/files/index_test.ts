import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { readIndexFile, writeIndexFile } from "../../lib/files/index_file.ts";
import { FileIndex } from "../../lib/files/index.ts";
import type { FolderStat } from "../../lib/files/rows.ts";
import { selectionOf } from "../../lib/files/selection.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { runTool } from "../support/real/program.ts";

/** A folder for one test, and an index beside it. */
class Rig implements Disposable {
  readonly #parent = Deno.makeTempDirSync({ prefix: "images-files-" });
  readonly root = `${this.#parent}/tree`;
  readonly state = `${this.#parent}/index`;

  constructor() {
    Deno.mkdirSync(this.root);
  }

  open(): FileIndex {
    return FileIndex.open(this.root, this.state);
  }

  write(path: string, text: string, mode = 0o644): void {
    const full = `${this.root}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    Deno.writeTextFileSync(full, text);
    Deno.chmodSync(full, mode);
    // A later change shows even where a clock ticks every few milliseconds.
    Deno.utimeSync(full, 1e9, 1e9);
  }

  /** Makes the index as if it had been written long after the last change. */
  settle(): void {
    const data = readIndexFile(this.state);
    for (const [path, folder] of data.folders) {
      if (folder === undefined) continue;
      Deno.utimeSync(`${this.root}/${path}`, 1e9, 1e9);
      folder.keep(this.#ownStat(path));
      for (const at of folder.names.keys()) {
        const row = folder.row(at);
        const content = folder.rows.content(row);
        if (content !== undefined) folder.rows.setContent(row, content, Infinity);
      }
    }
    writeIndexFile(this.state, data);
  }

  #ownStat(path: string): FolderStat {
    const { mtime, ctime, ino } = Deno.statSync(`${this.root}/${path}`);
    return { mtime: mtime!.getTime(), ctime: ctime!.getTime(), inode: ino!, settled: true };
  }

  /** Paths that a selection takes. */
  async paths(selection: Selection, without: string[] = []): Promise<string[]> {
    const { entries } = await this.open().tree([selection], { without });
    return entries.map(({ path }) => path);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#parent, { recursive: true });
  }
}

const EVERYTHING: Selection = { root: ".", include: ["**"] };

Deno.test("tree() takes what the patterns say", async (t) => {
  using rig = new Rig();
  for (
    const path of [
      "src/a.ts",
      "src/deep/b.ts",
      "src/deep/c.txt",
      ".hidden/x",
      "top.txt",
      "src/[id].ts",
    ]
  ) {
    rig.write(path, path);
  }
  rig.write(".git/HEAD", "ref");
  rig.write(".images/oci/x", "never");
  Deno.mkdirSync(`${rig.root}/empty`);
  const cases: [string, Selection, string[]][] = [
    ["everything but git and our state", EVERYTHING, [
      ".hidden",
      ".hidden/x",
      "empty",
      "src",
      "src/[id].ts",
      "src/a.ts",
      "src/deep",
      "src/deep/b.ts",
      "src/deep/c.txt",
      "top.txt",
    ]],
    ["globs", selectionOf(["src/**/*.ts"]), ["src/[id].ts", "src/a.ts", "src/deep/b.ts"]],
    ["a folder's name takes what is below it", selectionOf(["src/deep"]), [
      "src/deep",
      "src/deep/b.ts",
      "src/deep/c.txt",
    ]],
    ["what is left out", selectionOf(["src/**", "!src/deep"]), ["src", "src/[id].ts", "src/a.ts"]],
    ["an escaped bracket", selectionOf(["src/\\[id\\].ts"]), ["src/[id].ts"]],
    ["a missing file", selectionOf(["nothing/here"]), []],
    ["git when asked", { ...EVERYTHING, include: [".git"], git: true }, [".git", ".git/HEAD"]],
    ["Go's patterns, which do not cross folders", {
      root: ".",
      include: ["src/*.ts"],
      syntax: "go",
    }, [
      "src/[id].ts",
      "src/a.ts",
    ]],
    ["a root with a prefix", { root: "src/deep", include: ["*.ts"], as: "app/" }, ["app/b.ts"]],
    ["what .dockerignore does not hide", {
      root: "src",
      include: ["**"],
      dockerignore: ["deep", "!deep/b.ts"],
    }, [
      "[id].ts",
      "a.ts",
      "deep/b.ts",
    ]],
  ];
  for (const [what, selection, expected] of cases) {
    await t.step(what, async () => assertEquals(await rig.paths(selection), expected));
  }
  await t.step("outputs are left out", async () => {
    assertEquals(await rig.paths(selectionOf(["src/**"]), ["src/deep/**", "src/a.ts"]), [
      "src",
      "src/[id].ts",
    ]);
  });
});

Deno.test("tree() sees links as links, and only the owner's executable bit", async () => {
  using rig = new Rig();
  rig.write("a", "a");
  const plain = await rig.open().tree([EVERYTHING]);
  Deno.chmodSync(`${rig.root}/a`, 0o677);
  assertEquals((await rig.open().tree([EVERYTHING])).root, plain.root);
  Deno.chmodSync(`${rig.root}/a`, 0o744);
  assertNotEquals((await rig.open().tree([EVERYTHING])).root, plain.root);
  Deno.symlinkSync("nowhere", `${rig.root}/link`);
  const { entries } = await rig.open().tree([EVERYTHING]);
  assertEquals(entries.find(({ path }) => path === "link"), {
    path: "link",
    type: "symlink",
    executable: false,
    size: 0,
    target: "nowhere",
  });
});

Deno.test("tree() refuses a link to what is not UTF-8, as it does such names", async () => {
  using rig = new Rig();
  const make = async (script: string) => {
    const { success } = await new Deno.Command("sh", { args: ["-c", script], cwd: rig.root })
      .output();
    assert(success);
  };
  rig.write("a", "a");
  await make(`ln -s "$(printf 'caf\\351')" link`);
  const fault = await assertRejects(() => rig.paths({ root: ".", include: ["**"] }), Fault);
  assertEquals([fault.message, fault.where], [
    "What this link leads to is not UTF-8",
    `${rig.root}/link`,
  ]);
  assertEquals(await rig.paths({ root: ".", include: ["a"] }), ["a"]);
  await make(`rm link; : > "$(printf 'caf\\351')"`);
  await assertRejects(() => rig.paths({ root: ".", include: ["**"] }), Fault, "is not UTF-8");
});

Deno.test("tree() takes files without their folders, or names without what they hold", async () => {
  using rig = new Rig();
  rig.write("src/deep/a.ts", "a");
  const root = async (selection: Selection) => (await rig.open().tree([selection])).root;
  const files: Selection = { ...EVERYTHING, takes: "files" };
  const names: Selection = { ...EVERYTHING, takes: "names" };
  assertEquals(await rig.paths(files), ["src/deep/a.ts"]);
  assertEquals(await rig.paths(names), ["src", "src/deep", "src/deep/a.ts"]);
  const before = { files: await root(files), names: await root(names) };

  Deno.mkdirSync(`${rig.root}/src/empty`);
  assertEquals(await root(files), before.files);
  assertNotEquals(await root(names), before.names);
  Deno.removeSync(`${rig.root}/src/empty`);

  rig.write("src/deep/a.ts", "another");
  assertNotEquals(await root(files), before.files);
  assertEquals(await root(names), before.names);
});

Deno.test("a name that is not UTF-8 is a fault where it is selected, and only there", async () => {
  using rig = new Rig();
  for (const path of ["a.txt", "plain/b.txt", "real/c\uFFFD.txt"]) rig.write(path, path);
  await runTool([
    ...["sh", "-c", "cd \"$0\" && touch $(printf 'x\\377') && mkdir -p plain/$(printf 'd\\377')/e"],
    rig.root,
  ]);
  const plain = { root: ".", include: ["a.txt", "real"] };
  const paths = ["a.txt", "real", "real/c\uFFFD.txt"];
  assertEquals(await rig.paths(plain), paths);
  const index = rig.open();
  await index.tree([plain]);
  index.save();
  rig.settle();
  assertNotEquals(rig.open().root([plain]), undefined);
  assertEquals(await rig.paths({ ...EVERYTHING, exclude: ["x*", "plain"] }), paths);
  for (
    const taken of [EVERYTHING, { root: ".", include: ["x*"] }, { root: "plain", include: ["*"] }]
  ) {
    await assertRejects(() => rig.paths(taken), Fault, "is not UTF-8");
  }
});

Deno.test("tree() takes kinds: what is there and where links lead, and nothing below", async () => {
  using rig = new Rig();
  rig.write("src/deep/a.ts", "a");
  rig.write("src/b.ts", "b");
  Deno.symlinkSync("b.ts", `${rig.root}/src/link`);
  const kinds: Selection = {
    root: ".",
    include: ["src", "src/*e*", "src/b.ts", "src/link"],
    syntax: "go",
    takes: "kinds",
  };
  const root = async () => (await rig.open().tree([kinds])).root;
  assertEquals(await rig.paths(kinds), ["src", "src/b.ts", "src/deep", "src/link"]);
  const before = await root();
  rig.write("src/deep/c.ts", "new");
  rig.write("src/b.ts", "another");
  rig.write("src/c.ts", "no pattern names it");
  assertEquals(await root(), before);

  Deno.removeSync(`${rig.root}/src/link`);
  Deno.symlinkSync("deep", `${rig.root}/src/link`);
  const retargeted = await root();
  assertNotEquals(retargeted, before);
  Deno.renameSync(`${rig.root}/src/deep`, `${rig.root}/moved`);
  rig.write("src/deep", "a file");
  assertNotEquals(await root(), retargeted);
});

Deno.test("a pattern of Go's opens no folder that is deeper than itself", async () => {
  using rig = new Rig();
  rig.write("a/x.conf", "");
  rig.write("a/deep/deeper/x.conf", "");
  const index = rig.open();
  const { entries } = await index.tree([{ root: ".", include: ["*/*.conf"], syntax: "go" }]);
  assertEquals(entries.map(({ path }) => path), ["a/x.conf"]);
  assertEquals([...index.lookedAt].sort(), ["", "a"]);
});

Deno.test("root() is unknown while a file's stat is too fresh to be trusted", async () => {
  using rig = new Rig();
  rig.write("a", "a");
  const index = rig.open();
  await index.tree([EVERYTHING]);
  index.save();
  assertEquals(rig.open().root([EVERYTHING]), undefined);
});

Deno.test("an index that is damaged is empty", async () => {
  using rig = new Rig();
  rig.write("a", "a");
  const index = rig.open();
  await index.tree([EVERYTHING]);
  index.save();
  const whole = Deno.readFileSync(rig.state);
  const damaged = [
    ...[0, 1, 3, 4, 40, whole.length - 1].map((length) => whole.slice(0, length)),
    new Uint8Array([...whole, 0]),
    new TextEncoder().encode('{"version":1,"folders":[],"snapshots":[]}'),
    new Uint8Array(64).fill(255),
    ...[...whole.keys()].map((at) => whole.with(at, whole[at]! ^ 4)),
  ];
  for (const bytes of damaged) {
    Deno.writeFileSync(rig.state, bytes);
    assertEquals(readIndexFile(rig.state).folders.size, 0);
    assertEquals(rig.open().root([EVERYTHING]), undefined);
  }
});

/** What may happen to a tree between two runs. */
type Edit =
  | { readonly kind: "write"; readonly path: string; readonly text: string }
  | { readonly kind: "remove" | "touch" | "chmod" | "folder"; readonly path: string }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const NAME = fc.constantFrom("a", "b", "c", "d", "sub");
const PATH = fc.array(NAME, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/"));
const TEXT = fc.constantFrom("x", "y", "xx", "yy", "");
const EDIT: fc.Arbitrary<Edit> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("write" as const), path: PATH, text: TEXT }),
  },
  fc.record({ kind: fc.constantFrom("remove", "touch", "chmod", "folder"), path: PATH }),
  fc.record({
    kind: fc.constant("link" as const),
    path: PATH,
    target: TEXT.map((text) => `to-${text}`),
  }),
);

function apply(root: string, edit: Edit): void {
  const path = `${root}/${edit.path}`;
  const parent = path.slice(0, path.lastIndexOf("/"));
  try {
    if (edit.kind === "write" || edit.kind === "folder" || edit.kind === "link") {
      Deno.mkdirSync(parent, { recursive: true });
    }
    if (edit.kind === "write") Deno.writeTextFileSync(path, edit.text);
    if (edit.kind === "folder") Deno.mkdirSync(path, { recursive: true });
    if (edit.kind === "link") Deno.symlinkSync(edit.target, path);
    if (edit.kind === "remove") Deno.removeSync(path, { recursive: true });
    if (edit.kind === "touch") Deno.utimeSync(path, 1e9, 1e9);
    if (edit.kind === "chmod") Deno.chmodSync(path, (Deno.lstatSync(path).mode! & 0o777) ^ 0o100);
  } catch {
    // It does not fit the tree as it is.
  }
}

/** Every file with its content, read anew. */
function naive(folder: string, below = ""): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    const name = `${below}${entry.name}`;
    if (entry.isDirectory) return [`${name}/`, ...naive(path, `${name}/`)];
    if (entry.isSymlink) return [`${name} -> ${Deno.readLinkSync(path)}`];
    const executable = (Deno.lstatSync(path).mode! & 0o100) !== 0;
    return [`${name} ${executable} ${Deno.readTextFileSync(path)}`];
  }).sort();
}

Deno.test("a root is the same exactly when the tree is, whatever is edited between runs", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(EDIT, { maxLength: 6 }), { maxLength: 6 }), async (runs) => {
      using rig = new Rig();
      const roots = new Map<string, string>();
      for (const edits of [[], ...runs]) {
        edits.forEach((edit) => apply(rig.root, edit));
        const index = rig.open();
        const known = index.root([EVERYTHING]);
        const { root } = await index.tree([EVERYTHING]);
        if (known !== undefined) assertEquals(known, root);
        const content = naive(rig.root).join("\n");
        const other = roots.get(content);
        if (other !== undefined) assertEquals(root, other);
        for (const [text, each] of roots) if (text !== content) assertNotEquals(root, each);
        roots.set(content, root);
        index.save();
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("root() is known by stats alone once they are old, and changes with any edit", async () => {
  using rig = new Rig();
  rig.write("a", "a");
  rig.write("sub/b", "b");
  const first = rig.open();
  const { root } = await first.tree([EVERYTHING]);
  first.save();
  rig.settle();
  assertEquals(rig.open().root([EVERYTHING]), root);
  const edits: (() => void)[] = [
    () => Deno.writeTextFileSync(`${rig.root}/a`, "A"),
    () => Deno.chmodSync(`${rig.root}/sub/b`, 0o755),
    () => rig.write("sub/new", ""),
    () => Deno.removeSync(`${rig.root}/sub/b`),
    () => Deno.mkdirSync(`${rig.root}/empty`),
    () => Deno.renameSync(`${rig.root}/empty`, `${rig.root}/moved`),
    () => {
      Deno.renameSync(`${rig.root}/sub`, `${rig.root}/other`);
      Deno.symlinkSync("other", `${rig.root}/sub`);
    },
    () => {
      Deno.removeSync(`${rig.root}/a`);
      Deno.mkdirSync(`${rig.root}/a`);
    },
  ];
  for (const edit of edits) {
    edit();
    const index = rig.open();
    assertEquals(index.root([EVERYTHING]), undefined);
    await index.tree([EVERYTHING]);
    index.save();
    rig.settle();
    assertNotEquals(rig.open().root([EVERYTHING]), undefined);
  }
});

Deno.test("root() is unknown once another selection has seen a folder change", async (t) => {
  const first: Selection = { root: ".", include: ["src/**"] };
  const second: Selection = { root: ".", include: ["src/**", "more/**"] };
  const changes: Readonly<Record<string, (rig: Rig) => void>> = {
    "an edit": (rig) => rig.write("src/a", "22"),
    "a new file": (rig) => rig.write("src/b", "2"),
    "a file that is gone": (rig) => Deno.removeSync(`${rig.root}/src/a`),
    "a folder that is gone": (rig) => Deno.removeSync(`${rig.root}/src`, { recursive: true }),
  };
  for (const [name, change] of Object.entries(changes)) {
    await t.step(name, async () => {
      using rig = new Rig();
      rig.write("src/a", "1");
      rig.write("more/x", "1");
      const run = async (...selections: readonly Selection[]) => {
        const index = rig.open();
        for (const selection of selections) await index.tree([selection]);
        index.save();
        rig.settle();
      };
      await run(first, second);
      const root = rig.open().root([first]);
      assertNotEquals(root, undefined);
      assertNotEquals(rig.open().root([second]), undefined);
      change(rig);
      await run(second);
      const index = rig.open();
      assertEquals(index.root([first]), undefined);
      const tree = await index.tree([first]);
      assertNotEquals(tree.root, root);
      index.fresh();
      assertEquals(await index.tree([first]), tree);
    });
  }
});

Deno.test("a root is forgotten that was made of a folder as it was before another look", async () => {
  using rig = new Rig();
  rig.write("src/a", "1");
  rig.write("more/x", "1");
  const first = rig.open();
  await first.tree([EVERYTHING]);
  first.save();
  rig.settle();
  const both: Selection[] = [
    { root: ".", include: ["src/**"] },
    { root: ".", include: ["more/**"] },
  ];
  const index = rig.open();
  const collected = index.tree(both);
  while (!index.lookedAt.has("src")) await Promise.resolve();
  rig.write("src/a", "22");
  index.fresh();
  index.folder("src");
  const { root } = await collected;
  index.fresh();
  assertEquals(index.root(both), undefined);
  assertNotEquals((await index.tree(both)).root, root);
});

Deno.test("save() writes nothing when nothing was learnt", async () => {
  using rig = new Rig();
  rig.write("a", "a");
  const index = rig.open();
  await index.tree([EVERYTHING]);
  index.save();
  const { ino } = Deno.statSync(rig.state);
  const again = rig.open();
  again.root([EVERYTHING]);
  again.save();
  assertEquals(Deno.statSync(rig.state).ino, ino);
  assert(ino !== null);
});

Deno.test("an index that came with another copy of the state is read as empty", async () => {
  using rig = new Rig();
  rig.write("a", "a");
  const selections = [selectionOf(["**"])];
  const open = (origin: string) => FileIndex.open(rig.root, rig.state, () => origin);
  const index = open("here");
  const root = await index.rootOf(selections);
  index.save();
  assert(readIndexFile(rig.state, "here").snapshots.size > 0);
  assertEquals(readIndexFile(rig.state, "restored").snapshots.size, 0);
  assertEquals(await open("restored").rootOf(selections), root);
});
