import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import { findOwner } from "../../plugins/dockerfile/native/owner.ts";
import { parseDuration } from "../../plugins/dockerfile/native/duration.ts";
import { folderOf, PLAIN_FOLDER, Rootfs } from "../../plugins/dockerfile/native/rootfs.ts";

const owner = { uid: 0, gid: 0 };

/** A tree of links, by their paths; folders on the way are made. */
function treeOf(links: Readonly<Record<string, string>>): Rootfs {
  const tree = new Rootfs();
  for (const [path, target] of Object.entries(links)) {
    tree.makeFolders(path.slice(0, path.lastIndexOf("/")) || "/");
    tree.put(path, { type: "symlink", mode: 0o777, ...owner, target });
  }
  return tree;
}

Deno.test("Rootfs.resolve() follows links, and never out of the tree", () => {
  const tree = treeOf({ "/a/up": "../../..", "/a/b": "/c", "/c/d": "e", "/abs": "/a/./b/../c" });
  assertEquals(tree.resolve("/a/up/x").path, "/x");
  assertEquals(tree.resolve("/a/b/d/f").path, "/c/e/f");
  assertEquals(tree.resolve("/abs").path, "/c");
  assertEquals(tree.resolve("/../../c").node?.type, "directory");
});

Deno.test("Rootfs.resolve() ends where links form a loop", () => {
  const tree = treeOf({ "/a": "b", "/b": "/a" });
  assertMatch((assertThrows(() => tree.resolve("/a/x")) as Error).message, /form a loop/);
});

Deno.test("Rootfs.resolve() gives a clean path that is not a link, whatever the links are", () => {
  const name = fc.constantFrom("a", "b", "c", "..", ".", "");
  const path = fc.array(name, { maxLength: 5 }).map((names) => names.join("/"));
  const links = fc.array(fc.tuple(fc.constantFrom("/a", "/b", "/d/a", "/d/c"), path, fc.boolean()));
  fc.assert(fc.property(links, path, (all, asked) => {
    const tree = new Rootfs();
    tree.put("/d", folderOf(PLAIN_FOLDER));
    for (const [at, target, absolute] of all) {
      const text = absolute ? `/${target}` : target || ".";
      tree.put(at, { type: "symlink", mode: 0o777, ...owner, target: text });
    }
    try {
      const { path, node } = tree.resolve(`/${asked}`);
      assertMatch(path, /^\/(?:[abcd](?:\/|$))*$/);
      assertEquals(tree.lookup(path), node);
      assertEquals(node?.type === "symlink", false);
    } catch (error) {
      assertEquals((error as Error).name, "TreeConflict");
    }
  }));
});

Deno.test("Rootfs.fork() keeps changes apart", () => {
  const tree = new Rootfs();
  tree.makeFolders("/a/b");
  const fork = tree.fork();
  fork.makeFolders("/a/c");
  assertEquals(tree.lookup("/a/c"), undefined);
  assertEquals([...fork.takeChanges().keys()], ["/a/c"]);
  assertEquals([...fork.takeChanges().keys()], []);
});

Deno.test("Rootfs.put() puts files into the folder that is there now", () => {
  const tree = new Rootfs();
  const link = { type: "symlink", mode: 0o777, ...owner, target: "x" } as const;
  tree.makeFolders("/a/b");
  tree.put("/a/b/one", link);
  tree.put("/a/b", { ...folderOf(PLAIN_FOLDER), mode: 0o700 });
  tree.put("/a/b/two", link);
  assertEquals([tree.lookup("/a/b/one"), tree.lookup("/a/b/two")], [link, link]);
  tree.remove("/a");
  assertThrows(() => tree.put("/a/b/three", link));
  tree.makeFolders("/a/b");
  tree.put("/a/b/three", link);
  assertEquals([tree.lookup("/a/b/two"), tree.lookup("/a/b/three")], [undefined, link]);
});

Deno.test("findOwner() reads numbers and names", async () => {
  const read = (path: string) =>
    Promise.resolve(
      path === "/etc/passwd" ? "root:x:0:0::\nweb:x:5:6::\n" : "root:x:0:\nwww:x:7:web\n",
    );
  const cases: Readonly<Record<string, number[] | undefined>> = {
    "1": [1, 1],
    "1:2": [1, 2],
    "web": [5, 6],
    "web:www": [5, 7],
    "web:9": [5, 9],
    ":www": [0, 7],
    "root:web": undefined,
    "nobody": undefined,
    "1:nobody": undefined,
  };
  for (const [text, found] of Object.entries(cases)) {
    const owner = await findOwner(text, read);
    assertEquals(owner && [owner.uid, owner.gid], found, text);
  }
});

Deno.test("parseDuration() reads Go's durations in nanoseconds", () => {
  const cases: Readonly<Record<string, number | undefined>> = {
    "0": 0,
    "1s": 1e9,
    "1m30s": 90e9,
    "1.5h": 5400e9,
    ".5ms": 500_000,
    "100us": 100_000,
    "5": undefined,
    "s": undefined,
    "-1s": undefined,
    "1d": undefined,
  };
  for (const [text, time] of Object.entries(cases)) assertEquals(parseDuration(text), time, text);
});
