/**
 * Why a layer is not what its digest says. A digest does not tell which path differs; what Nix leaves
 * in a store does: files have mode 0444 or 0555 and the time 1, and nothing touches them afterwards.
 */

import { type Digest, shortDigest } from "../../lib/model/digest.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { Layer } from "../../lib/model/image.ts";
import { runProcess } from "../../lib/process/run.ts";
import { which } from "../../lib/process/which.ts";
import type { LayerData } from "./layer_data.ts";
import { type Found, walk } from "./walk.ts";

/** The most paths that are named in one message. */
const NAMED = 5;

/** A path in a Nix store, up to the hash and name that Nix gave it. */
const STORE_PATH = /^(\/.*?\/[0-9a-z]{32}-[^/]+)(?:\/|$)/;

/** The time that Nix gives every file, in milliseconds since 1970. */
const STORE_TIME = 1000;

/** A path, and how it is not as it should be. */
interface Suspect {
  readonly path: string;
  readonly how: string;
  /** Folders change with what is in them, so they are named last. */
  readonly folder: boolean;
}

/** The error of a layer that came out as something else. */
export async function mismatchFault(
  layer: Layer,
  data: LayerData,
  found: { readonly digest: Digest; readonly size: number },
): Promise<Fault> {
  const { digest, size } = layer.descriptor;
  if (found.digest === digest) {
    return new Fault(`The layer ${shortDigest(digest)} has ${found.size} bytes, not ${size}`, {
      where: data.layerPath ?? data.paths.map(({ path }) => path).slice(0, NAMED).join(", "),
      next: "build the image again with --force; if it stays so, its image.json is wrong",
    });
  }
  const bytes = found.size === size ? "" : ` of ${found.size} bytes, not ${size}`;
  const what = `The layer ${shortDigest(digest)} came out as ${shortDigest(found.digest)}${bytes}`;
  if (data.layerPath !== undefined) {
    return new Fault(`${what}: the file is not the one that the image was described from`, {
      where: data.layerPath,
      next: "build the image again",
    });
  }
  const suspects = suspectsIn(data);
  const named = suspects.length > 0 ? suspects : await modified(data);
  if (named.length === 0) {
    return new Fault(`${what}, though none of its paths was changed here`, {
      where: data.paths.map(({ path }) => path).slice(0, NAMED).join(", "),
      next: "its derivation does not build the same twice: build the image on this machine, copy " +
        "the paths from where it was built, or keep the tar with `reproducible = false` of buildLayer",
    });
  }
  const more = named.length > NAMED ? `; and ${named.length - NAMED} more` : "";
  const list = named.slice(0, NAMED).map(({ path, how }) => `${path} ${how}`).join("; ");
  const roots = new Set(named.flatMap(({ path }) => STORE_PATH.exec(path)?.[1] ?? []));
  return new Fault(`${what}: ${list}${more}`, {
    next: roots.size === 0
      ? "restore the files, or build the image again"
      : `restore with \`nix-store --repair-path ${[...roots].slice(0, NAMED).join(" ")}\`, ` +
        "or build the image again",
  });
}

function suspectsIn(data: LayerData): readonly Suspect[] {
  const suspects = data.paths.flatMap(({ path }) =>
    Array.from(walk(path, data)).flatMap((found) => {
      const how = STORE_PATH.test(found.source) ? againstStore(found) : [];
      if (found.changed > data.builtAt) {
        how.push(`was changed after the build, ${day(found.changed)}`);
      }
      if (how.length === 0) return [];
      return [{ path: found.disk, how: how.join(" and "), folder: found.type === "directory" }];
    })
  );
  return suspects.sort((a, b) => Number(a.folder) - Number(b.folder));
}

function againstStore({ type, mode, modified }: Found): string[] {
  const how: string[] = [];
  if (type !== "symlink" && mode !== 0o555 && (mode !== 0o444 || type === "directory")) {
    const expected = type === "directory" ? "0555" : "0444 or 0555";
    how.push(`has mode ${mode.toString(8).padStart(4, "0")}, and Nix leaves ${expected}`);
  }
  if (modified !== STORE_TIME) how.push(`was written ${day(modified)}, and Nix leaves the time 1`);
  return how;
}

/** What Nix finds when it compares paths with the hashes it has registered. */
async function modified(data: LayerData): Promise<readonly Suspect[]> {
  const roots = data.paths.map(({ path }) => path).filter((path) => STORE_PATH.test(path));
  if (roots.length === 0 || which("nix-store") === undefined) return [];
  const store = data.storeRoot === "" ? [] : ["--store", data.storeRoot];
  const suspects: Suspect[] = [];
  await runProcess(["nix-store", ...store, "--verify-path", ...roots], {
    allowFailure: true,
    onLine: (line) => {
      const path = /path '([^']+)' was modified/.exec(line)?.[1];
      if (path === undefined) return;
      suspects.push({ path, how: "has another content than Nix built", folder: false });
    },
  });
  return suspects;
}

function day(time: number): string {
  return new Date(time).toISOString().replace("T", " ").slice(0, 19);
}
