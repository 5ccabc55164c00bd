/** What a built image does not have of what its recipe expects. */

import type { LocalImage } from "../model/image.ts";
import type { Expectations, ExpectedFile } from "../model/recipe.ts";
import { bytesOf } from "../model/size.ts";
import { imageFilesystem } from "../oci/cached_listing.ts";
import type { ImageFilesystem } from "../oci/filesystem.ts";
import { uncompressedSize } from "../oci/listing.ts";

/**
 * Every expectation that is not met, in words. Layers are read only for rules that need them.
 *
 * @param cache folder that keeps the listings of layers.
 */
export async function failuresOf(
  expect: Expectations,
  built: LocalImage,
  cache: string,
  signal: AbortSignal,
): Promise<string[]> {
  return [
    ...configFailures(expect, built),
    ...await sizeFailures(expect, built, signal),
    ...await fileFailures(expect, built, cache, signal),
  ];
}

function configFailures(expect: Expectations, { config }: LocalImage): string[] {
  const has = config.config ?? {};
  const env = new Map((has.Env ?? []).map((each) => {
    const at = each.indexOf("=");
    return [each.slice(0, at), each.slice(at + 1)];
  }));
  return [
    ...listFailure("entrypoint", expect.entrypoint, has.Entrypoint),
    ...listFailure("cmd", expect.cmd, has.Cmd),
    ...valueFailure("user", expect.user, has.User ?? ""),
    ...Object.entries(expect.env ?? {}).flatMap(([name, value]) =>
      valueFailure(`env ${name}`, value, env.get(name))
    ),
    ...Object.entries(expect.labels ?? {}).flatMap(([name, value]) =>
      valueFailure(`label ${name}`, value, has.Labels?.[name])
    ),
  ];
}

function listFailure(
  what: string,
  wanted: readonly string[] | undefined,
  has: readonly string[] | undefined,
): string[] {
  if (wanted === undefined) return [];
  return valueFailure(what, JSON.stringify(wanted), JSON.stringify(has ?? []));
}

function valueFailure(what: string, wanted: string | undefined, has: string | undefined): string[] {
  if (wanted === undefined || wanted === has) return [];
  return [has === undefined ? `${what} is not set` : `${what} is ${has}, not ${wanted}`];
}

async function sizeFailures(
  expect: Expectations,
  built: LocalImage,
  signal: AbortSignal,
): Promise<string[]> {
  const failures: string[] = [];
  const { maxLayers, maxSize } = expect;
  if (maxLayers !== undefined && built.layers.length > maxLayers) {
    failures.push(`it has ${built.layers.length} layers, more than ${maxLayers}`);
  }
  if (maxSize === undefined) return failures;
  let total = 0;
  for (const layer of built.layers) total += await uncompressedSize(layer, signal);
  if (total > bytesOf(maxSize)) {
    failures.push(`its layers have ${total} bytes, more than ${maxSize}`);
  }
  return failures;
}

async function fileFailures(
  expect: Expectations,
  built: LocalImage,
  cache: string,
  signal: AbortSignal,
): Promise<string[]> {
  const { files = [], absent = [] } = expect;
  if (files.length === 0 && absent.length === 0) return [];
  const filesystem = await imageFilesystem(built, cache, signal);
  return [
    ...files.flatMap((file) =>
      fileFailure(filesystem, typeof file === "string" ? { path: file } : file)
    ),
    ...absent.filter((path) => filesystem.get(path) !== undefined)
      .map((path) => `${path} is there`),
  ];
}

function fileFailure(filesystem: ImageFilesystem, expected: ExpectedFile): string[] {
  const { path, executable, mode } = expected;
  const found = filesystem.resolve(path);
  if (found === undefined) return [`${path} is missing${similar(filesystem, path)}`];
  const failures: string[] = [];
  if (executable !== undefined && (found.mode & 0o111) !== 0 !== executable) {
    failures.push(`${path} is ${executable ? "not " : ""}executable`);
  }
  const wanted = typeof mode === "string" ? Number.parseInt(mode, 8) : mode;
  if (wanted !== undefined && (found.mode & 0o7777) !== wanted) {
    failures.push(`${path} has mode ${octal(found.mode)}, not ${octal(wanted)}`);
  }
  return failures;
}

/** What is in the folder instead: a name that was misremembered is seen at once. */
function similar(filesystem: ImageFilesystem, path: string): string {
  const folder = path.slice(0, path.lastIndexOf("/")) || "/";
  const names = [...filesystem.children(folder)].slice(0, 5);
  return names.length === 0 ? "" : ` (${folder} holds ${names.join(", ")})`;
}

function octal(mode: number): string {
  return (mode & 0o7777).toString(8).padStart(4, "0");
}
