/**
 * What engines leave in a layer because they mounted something there: folders of the kernel's file
 * systems, and empty files under /etc that a container's own are laid over.
 */

import { rewriteTar, type TarHead } from "../../../lib/oci/tar_rewrite.ts";

/** Folders that are mounted over; whoever runs the image makes them. */
const FOLDERS = new Set(["dev", "proc", "sys", "run", "run/secrets"]);

/** Files that are mounted over. */
const FILES = new Set(["etc/hostname", "etc/hosts", "etc/resolv.conf"]);

/** The mode that runtimes make files to mount over with; nobody else makes such files executable. */
const STUB_MODE = 0o755;

const FOLDER = "5";
const FILE = "0";

/** Paths, as they are written in a layer's archive, that are nothing but places to mount at. */
export async function mountPoints(layer: AsyncIterable<Uint8Array>): Promise<Set<string>> {
  const heads: TarHead[] = [];
  const leaveOut = (head: TarHead) => heads.push(head) > 0;
  // Nothing is written: this only looks.
  for await (const _ of rewriteTar(layer, { notAfter: 0, leaveOut, transient: true }));
  const byPath = new Map(heads.map((head) => [plain(head.path), head]));
  const found = new Set<string>();
  const stubs = heads.filter((head) =>
    FILES.has(plain(head.path)) && head.type === FILE && head.size === 0 && head.mode === STUB_MODE
  );
  for (const { path } of stubs) found.add(path);
  // The deepest first: a folder that holds only places to mount at is one itself.
  const folders = stubs.length > 0 ? [...FOLDERS, "etc"] : [...FOLDERS];
  for (const folder of folders.toReversed()) {
    const head = byPath.get(folder);
    if (head?.type !== FOLDER) continue;
    const holds = heads.some(({ path }) =>
      plain(path).startsWith(`${folder}/`) && !found.has(path)
    );
    if (!holds) found.add(head.path);
  }
  return found;
}

function plain(path: string): string {
  return path.replace(/^(?:\.?\/)+/, "").replace(/\/+$/, "");
}
