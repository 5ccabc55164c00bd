/** The build context that all Dockerfiles of tests/fixtures/dockerfiles are built in. */

import { fromFileUrl } from "@std/path";
import { zstdCompressSync } from "node:zlib";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";

/** Absolute path of the folder with one folder for each case. */
export const CASES: string = fromFileUrl(new URL("../fixtures/dockerfiles", import.meta.url));

const FILES: Readonly<Record<string, string>> = {
  "a.txt": "a\n",
  "b.txt": "b, and longer than a\n",
  "c.md": "# c\n",
  "with space.txt": "space\n",
  "ünïcode-文.txt": "unicode\n",
  "[odd].txt": "odd\n",
  "star*.txt": "star\n",
  ".hidden": "hidden\n",
  "run.sh": "#!/bin/sh\necho hi\n",
  "lone.gz": "this only looks compressed\n",
  "dir/one.txt": "one\n",
  "dir/two.md": "two\n",
  "dir/.dot": "dot\n",
  "dir/sub/deep.txt": "deep\n",
  "dir/sub/deep.md": "deep\n",
  "rootfs/etc/app.conf": "conf\n",
  "rootfs/srv/www/index.html": "<p>\n",
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\nweb:x:1001:1002::/home/web:\nwww-data:x:33:33::/:\n",
  "etc/group": "root:x:0:\nweb:x:1002:\nwww:x:1003:web\nwww-data:x:33:\n",
  "links/real.txt": "real\n",
  "hard/first": "hard\n",
  [`long/${"n".repeat(120)}/${"m".repeat(120)}/${"o".repeat(200)}`]: "long\n",
};

/** Ending, program, and what keeps times out of what it writes. */
const COMPRESSORS = [
  ["gz", "gzip", "-n"],
  ["xz", "xz"],
  ["bz2", "bzip2"],
] as const;

const FOLDERS = ["empty", "dir/sub/void"];

const LINKS: Readonly<Record<string, string>> = {
  link: "a.txt",
  dirlink: "dir",
  "links/relative": "real.txt",
  "links/absolute": "/dir/one.txt",
  "links/nowhere": "missing",
  "links/up": "../b.txt",
};

/** Fills a folder with the context; the modes are 0755 and 0644 under any umask. */
export async function makeContext(folder: string): Promise<void> {
  for (const [path, text] of Object.entries(FILES)) {
    makeFolders(folder, path.split("/").slice(0, -1));
    Deno.writeTextFileSync(`${folder}/${path}`, text);
    Deno.chmodSync(`${folder}/${path}`, path.endsWith(".sh") ? 0o755 : 0o644);
  }
  for (const path of FOLDERS) makeFolders(folder, path.split("/"));
  for (const [path, target] of Object.entries(LINKS)) {
    Deno.symlinkSync(target, `${folder}/${path}`);
  }
  Deno.linkSync(`${folder}/hard/first`, `${folder}/hard/second`);
  for (const [name, bytes] of await (archives ??= makeArchives())) {
    Deno.writeFileSync(`${folder}/${name}`, bytes);
    Deno.chmodSync(`${folder}/${name}`, 0o644);
  }
}

/** The same in each context: made once. */
let archives: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

/** Copies a case's files over the context: Dockerfile, ignore files. */
export function addCase(name: string, folder: string): void {
  for (const { name: file } of Deno.readDirSync(`${CASES}/${name}`)) {
    if (file === "options.json") continue;
    Deno.copyFileSync(`${CASES}/${name}/${file}`, `${folder}/${file}`);
    Deno.chmodSync(`${folder}/${file}`, 0o644);
  }
}

function makeFolders(folder: string, names: readonly string[]): void {
  let at = folder;
  for (const name of names) {
    at += `/${name}`;
    try {
      Deno.mkdirSync(at);
    } catch {
      continue;
    }
    Deno.chmodSync(at, 0o755);
  }
}

/** Archives as `tar` would write them, with owners and modes of their own. */
async function makeArchives(): Promise<ReadonlyMap<string, Uint8Array>> {
  const own = { mtime: 0, uid: 10, gid: 20 };
  const text = (path: string, content: string, mode: number): TarEntry => ({
    ...own,
    path,
    type: "file",
    mode,
    size: content.length,
    content: new TextEncoder().encode(content),
  });
  const archive: TarEntry[] = [
    { ...own, path: "inner/", type: "directory", mode: 0o750 },
    text("inner/file", "inner\n", 0o640),
    text("inner/tool", "tool\n", 0o4755),
    { ...own, path: "inner/link", type: "symlink", mode: 0o777, linkTarget: "file" },
    { ...own, path: "inner/hard", type: "hardlink", mode: 0o640, linkTarget: "inner/file" },
    text("unnamed/parent/file", "p\n", 0o600),
  ];
  const links: TarEntry[] = [
    { ...own, path: "usr/", type: "directory", mode: 0o755 },
    { ...own, path: "usr/lib/", type: "directory", mode: 0o711 },
    { ...own, path: "lib", type: "symlink", mode: 0o777, linkTarget: "usr/lib" },
    { ...own, path: "target/", type: "directory", mode: 0o755 },
    { ...own, path: "current", type: "symlink", mode: 0o777, linkTarget: "target" },
  ];
  const dotted: TarEntry[] = [
    { ...own, path: "./", type: "directory", mode: 0o700 },
    text("./file", "dotted\n", 0o600),
  ];
  const made = new Map([
    ["archive.tar", await bytesOf(archive)],
    ["links.tar", await bytesOf(links)],
    ["dotted.tar", await bytesOf(dotted)],
    ["empty.tar", new Uint8Array(1024)],
  ]);
  for (const [ending, ...command] of COMPRESSORS) {
    made.set(`archive.tar.${ending}`, await piped(command, made.get("archive.tar")!));
  }
  made.set("archive.tar.zst", zstdCompressSync(made.get("archive.tar")!));
  return made;
}

async function bytesOf(entries: readonly TarEntry[]): Promise<Uint8Array> {
  return await new Response(ReadableStream.from(writeTar(entries))).bytes();
}

async function piped([program, ...args]: readonly string[], input: Uint8Array) {
  const child = new Deno.Command(program!, { args, stdin: "piped", stdout: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  const [{ success, stdout }] = await Promise.all([
    child.output(),
    writer.write(input).then(() => writer.close()),
  ]);
  if (!success) throw new Error(`${program} failed`);
  return stdout;
}
