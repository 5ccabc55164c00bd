import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { ImageConfig } from "../../lib/model/oci.ts";
import { compareConfigs } from "../../lib/oci/compare_configs.ts";
import { compareFiles } from "../../lib/oci/compare_files.ts";
import type { ListedFile } from "../../lib/oci/listing.ts";
import { sha256 } from "../../lib/oci/sha256.ts";

function file(path: string, more: Partial<ListedFile> = {}): ListedFile {
  const common = { path, type: "file", mode: 0o644, uid: 0, gid: 0, size: 1, mtime: 0 } as const;
  return { ...common, digest: sha256("x"), ...more };
}

Deno.test("compareFiles() names the path and what of it differs", () => {
  const before = [
    file("/same"),
    file("/content"),
    file("/mode"),
    file("/owner"),
    file("/time"),
    file("/gone"),
    file("/type"),
    file("/link", { type: "symlink", linkTarget: "a" }),
  ];
  const after = [
    file("/same"),
    file("/content", { digest: sha256("y") }),
    file("/mode", { mode: 0o755 }),
    file("/owner", { uid: 7 }),
    file("/time", { mtime: 9 }),
    file("/new"),
    file("/type", { type: "directory", mode: 0o755 }),
    file("/link", { type: "symlink", linkTarget: "b" }),
  ];
  const found = compareFiles(before, after).map(({ path, change, what }) => [path, change, what]);
  assertEquals(found, [
    ["/content", "changed", ["content"]],
    ["/gone", "removed", []],
    ["/link", "changed", ["target"]],
    ["/mode", "changed", ["mode"]],
    ["/new", "added", []],
    ["/owner", "changed", ["owner"]],
    ["/time", "changed", ["mtime"]],
    ["/type", "changed", ["type", "mode"]],
  ]);
});

Deno.test("compareFiles() finds nothing in a tree and itself, and turns round with its sides", () => {
  const listed = fc.record({
    path: fc.stringMatching(/^\/[a-c]{1,2}$/),
    mode: fc.constantFrom(0o644, 0o755),
    mtime: fc.nat(1),
    digest: fc.constantFrom(sha256("x"), sha256("y")),
  }).map(({ path, ...more }) => file(path, more));
  const turned = { added: "removed", removed: "added", changed: "changed" } as const;
  fc.assert(fc.property(fc.array(listed), fc.array(listed), (a, b) => {
    assertEquals(compareFiles(a, a), []);
    const there = compareFiles(a, b);
    const back = compareFiles(b, a);
    assertEquals(
      back.map(({ path, change, what }) => ({ path, change, what })),
      there.map(({ path, change, what }) => ({ path, change: turned[change], what })),
    );
  }));
});

Deno.test("compareConfigs() names fields as people know them", () => {
  const common = { architecture: "amd64", os: "linux" };
  const rootfs = (text: string) => ({ type: "layers" as const, diff_ids: [sha256(text)] });
  const before = {
    ...common,
    rootfs: rootfs("a"),
    created: "1970-01-01T00:00:00Z",
    config: {
      Env: ["A=1", "B=x=y"],
      Cmd: ["/a"],
      Labels: { kept: "1", gone: "2" },
      ExposedPorts: { "80/tcp": {} },
      Volumes: null,
    },
  } as unknown as ImageConfig;
  const after: ImageConfig = {
    ...common,
    rootfs: rootfs("b"),
    created: "1970-01-01T00:00:00Z",
    config: {
      Env: ["B=x=z", "A=1"],
      Cmd: ["/a", "b"],
      Labels: { kept: "1" },
      WorkingDir: "/srv",
    },
  };
  assertEquals(compareConfigs(before, after), [
    { field: "cmd", before: ["/a"], after: ["/a", "b"] },
    { field: "env B", before: "x=y", after: "x=z" },
    { field: "label gone", before: "2" },
    { field: "port 80/tcp", before: true },
    { field: "workdir", after: "/srv" },
  ]);
  assertEquals(compareConfigs(after, after), []);
});
