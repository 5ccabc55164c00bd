/** What of the environment counts: as digests, so that no value is ever written down. */

import { which } from "../process/which.ts";
import type { Guard } from "../model/plugin.ts";
import type { Json } from "../model/json.ts";
import { hashText } from "../oci/hash.ts";

/** Variable → sha256 of its value, or null where it is not set. */
export async function environmentDigests(
  names: readonly string[],
): Promise<Record<string, string | null>> {
  const digests: Record<string, string | null> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    digests[name] = value === undefined ? null : await hashText(value);
  }
  return digests;
}

/** The set variables among these names, with their values. */
export function environmentValues(names: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const value = Deno.env.get(name);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

/** What a guard sees now: Merkle roots, stats of files and programs, digests of variables. */
export async function guardState(guard: Guard, roots: readonly string[]): Promise<Json> {
  return {
    roots,
    files: Object.fromEntries((guard.files ?? []).map((path) => [path, statOf(path)])),
    env: await environmentDigests(guard.env ?? []),
    tools: Object.fromEntries((guard.tools ?? []).map((name) => [name, toolOf(name)])),
  };
}

function toolOf(name: string): Json {
  const path = which(name);
  return path === undefined ? null : [path, statOf(path)];
}

function statOf(path: string): Json {
  try {
    const info = Deno.statSync(path);
    return [info.size, info.mtime?.getTime() ?? 0, info.ctime?.getTime() ?? 0, info.ino ?? 0];
  } catch {
    return null;
  }
}
