/** What a recipe expects of its image, checked in the built layers; verdicts are kept. */

import type { Digest } from "../model/digest.ts";
import { Fault } from "../model/errors.ts";
import type { LocalImage } from "../model/image.ts";
import type { Json } from "../model/json.ts";
import type { Expectations, ExpectedFile, Image } from "../model/recipe.ts";
import { imageFilesystem } from "../oci/cached_listing.ts";
import { hashJson } from "../oci/hash.ts";
import type { ImageFilesystem } from "../oci/filesystem.ts";
import { uncompressedSize } from "../oci/listing.ts";
import { writeAtomic } from "../store/atomic.ts";
import { exists } from "../store/state.ts";
import type { Session } from "./session.ts";

/** Names a pair of an image and what is expected of it; undefined where nothing is. */
export async function verdictOf(image: Image, imageId: Digest): Promise<string | undefined> {
  const { expect } = image.common;
  if (expect === undefined || Object.keys(expect).length === 0) return undefined;
  return await hashJson([imageId, expect as unknown as Json]);
}

/**
 * Checks an image against its recipe's expectations. A pair of image ID and expectations that has
 * passed, here or where the image was published, is not checked again; the image is opened only
 * then, and layers are read only for rules that need them.
 *
 * @param known the pair that whoever published the image checked.
 * @throws {Fault} that names every expectation that is not met.
 */
export async function verifyImage(
  session: Session,
  image: Image,
  imageId: Digest,
  open: () => Promise<LocalImage>,
  known?: string,
): Promise<void> {
  const { common: { expect = {} } } = image;
  const key = await verdictOf(image, imageId);
  const { cache } = session.circumstances.state;
  const verdict = `${cache}/verdicts/${key}`;
  if (key === undefined || key === known || exists(verdict)) return;
  const built = await open();
  const failures = [
    ...configFailures(expect, built),
    ...await sizeFailures(expect, built, session.signal),
    ...await fileFailures(expect, built, cache, session.signal),
  ];
  if (failures.length === 0) {
    writeAtomic(verdict, "");
    return;
  }
  throw new Fault(`The built image is not what images.ts expects: ${failures.join("; ")}`, {
    where: image.name,
    ...(image.place === undefined ? {} : { place: image.place }),
    next: "correct the image, or `expect` in images.ts",
  });
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

const UNITS: Record<string, number> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** A size such as `"120MB"` or `"64 MiB"` in bytes. */
export function bytesOf(size: number | string): number {
  if (typeof size === "number") return size;
  const [, number = "", unit = ""] = /^\s*([\d.]+)\s*([A-Za-z]*)\s*$/.exec(size) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (number === "" || factor === undefined || Number.isNaN(Number(number))) {
    throw new Fault(`Cannot read the size "${size}"`, { next: 'write it as "120MB" or "64MiB"' });
  }
  return Number(number) * factor;
}
