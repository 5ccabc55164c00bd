/** An image as an engine leaves it in files, in whichever of three forms. */

import { Fault } from "../../../lib/model/errors.ts";
import type { Descriptor, Manifest } from "../../../lib/model/oci.ts";
import { parseIndex, parseManifest } from "../../../lib/oci/documents.ts";
import { readTar } from "../../../lib/oci/tar_read.ts";
import { writeContent } from "../../../lib/util/write_all.ts";

/** Config and layers, the lowest first. */
export interface EngineImage {
  readonly config: Uint8Array;
  readonly layers: readonly EngineLayer[];
}

/** A layer in a file; perhaps compressed. */
export interface EngineLayer {
  /** Absolute path. */
  readonly path: string;
  /** What the engine says of it, where it says something. */
  readonly descriptor?: Descriptor;
}

/** Reads an OCI layout of one image. @throws {Fault} where it is none. */
export async function readLayout(folder: string): Promise<EngineImage> {
  const blob = (digest: string) => `${folder}/blobs/${digest.replace(":", "/")}`;
  const { manifests } = parseIndex(await read(`${folder}/index.json`), folder);
  const [first] = manifests;
  if (first === undefined) throw new Fault("The engine made no image", { where: folder });
  const manifest = parseManifest(await read(blob(first.digest)), folder);
  return await imageOf(manifest, blob);
}

/** Reads the `dir:` form of podman, buildah and skopeo. @throws {Fault} where it is none. */
export async function readFolder(folder: string): Promise<EngineImage> {
  const manifest = parseManifest(await read(`${folder}/manifest.json`), folder);
  return await imageOf(manifest, (digest) => `${folder}/${digest.split(":")[1]}`);
}

/** Reads what `docker save` wrote, unpacking it into a folder that is there. */
export async function readArchive(archive: string, folder: string): Promise<EngineImage> {
  const names = new Map<string, string>();
  for await (const member of readTar((await Deno.open(archive)).readable)) {
    if (member.type !== "file") continue;
    const path = `${folder}/${names.size}`;
    names.set(member.path, path);
    await writeContent(path, member.content(), { createNew: true });
  }
  const pathOf = (name: string) => {
    const path = names.get(name);
    if (path !== undefined) return path;
    throw new Fault(`What docker saved does not hold ${name}`, { where: archive });
  };
  const text = new TextDecoder().decode(await read(pathOf("manifest.json")));
  const [image] = JSON.parse(text) as { Config: string; Layers: string[] }[];
  if (image === undefined) throw new Fault("The engine made no image", { where: archive });
  return {
    config: await read(pathOf(image.Config)),
    layers: image.Layers.map((name) => ({ path: pathOf(name) })),
  };
}

async function imageOf(
  { config, layers }: Manifest,
  blob: (digest: string) => string,
): Promise<EngineImage> {
  return {
    config: await read(blob(config.digest)),
    layers: layers.map((descriptor) => ({ path: blob(descriptor.digest), descriptor })),
  };
}

function read(path: string): Promise<Uint8Array> {
  return Deno.readFile(path);
}
