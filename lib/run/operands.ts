/**
 * What can be looked at: an image of images.ts, an image in a registry, an image in an OCI layout.
 */

import { suggest } from "../dsl/suggest.ts";
import { Fault, usageFault } from "../model/errors.ts";
import type { LocalImage } from "../model/image.ts";
import type { Descriptor } from "../model/oci.ts";
import { hostPlatform } from "../model/platform.ts";
import type { Image, Project } from "../model/recipe.ts";
import { formatReference, parseReference, type Reference } from "../model/reference.ts";
import { documentType } from "../oci/documents.ts";
import { imagesOf } from "../oci/image_index.ts";
import { type ImageStore, isIndexType, type ManifestBytes, openImage } from "../oci/open_image.ts";
import { Layout } from "../store/layout.ts";
import { exists, State } from "../store/state.ts";
import { localImage } from "./local_image.ts";
import type { Outcome } from "./results.ts";
import type { Session } from "./session.ts";
import type { SettledImage } from "./settled.ts";

/** Something that can be looked at, not yet opened. */
export type Operand =
  | { readonly kind: "declared"; readonly image: Image }
  | { readonly kind: "reference"; readonly reference: Reference }
  | { readonly kind: "layout"; readonly folder: string; readonly name?: string };

/** An opened operand: its image on each platform that is looked at. */
export interface OpenedOperand {
  readonly images: readonly LocalImage[];
  /** Platforms it is there for too. */
  readonly others: readonly string[];
}

/**
 * Reads an operand: a declared image's name, `oci:FOLDER[:NAME]`, or a reference with a host or a
 * path.
 *
 * @throws {Fault} when it is none of them.
 */
export function parseOperand(text: string, project: Project, cwd: string): Operand {
  const image = project.images.get(text);
  if (image !== undefined) return { kind: "declared", image };
  if (text.startsWith("oci:")) return layoutOperand(text.slice("oci:".length), cwd);
  if (/[/:@]/.test(text)) return { kind: "reference", reference: parseReference(text) };
  const known = [...project.images.keys()];
  const near = suggest(text, known);
  const choices = [...known, "oci:FOLDER", "a reference with its host"];
  throw usageFault(`No image is called "${text}"`, {
    next: near === undefined
      ? `name one of ${choices.slice(0, -1).join(", ")}, or ${choices.at(-1)}`
      : `did you mean "${near}"? An image elsewhere is named with its host`,
  });
}

/** Opens an operand; a declared image must have been settled, and have come to something. */
export async function openOperand(
  session: Session,
  outcome: Outcome,
  operand: Operand,
  platforms: readonly string[] | undefined,
): Promise<OpenedOperand> {
  switch (operand.kind) {
    case "declared":
      return await openDeclared(session, outcome, operand.image);
    case "reference":
      return await openReference(session, operand.reference, platforms);
    case "layout":
      return await openLayout(operand, platforms);
  }
}

async function openDeclared(
  session: Session,
  { settled }: Outcome,
  image: Image,
): Promise<OpenedOperand> {
  const nodes = settled.filter((each): each is SettledImage =>
    each.node.type === "image" && each.node.image.name === image.name
  );
  const records = nodes.flatMap(({ record }) => record ?? []);
  const images = records.length < nodes.length
    ? []
    : await Promise.all(records.map((record) => localImage(session, record)));
  return { images, others: [] };
}

async function openReference(
  session: Session,
  reference: Reference,
  platforms: readonly string[] | undefined,
): Promise<OpenedOperand> {
  const { DEFAULT_TAG, readManifest, repositoryStore } = await import("../registry/bases.ts");
  const { digest, tag = DEFAULT_TAG } = reference;
  const holders = await session.registries.holdersOf(reference, digest !== undefined);
  const name = formatReference(reference);
  const read = async (which: string): Promise<ManifestBytes> => {
    const found = await readManifest(holders, which);
    if (found !== undefined) return found;
    throw new Fault(`There is no image ${name}`, {
      where: reference.host,
      next: "correct the reference, or push the image first",
    });
  };
  const top = await read(digest ?? tag);
  const store = repositoryStore(holders, reference);
  return await openPlatforms(store, top, name, platforms, (child) => read(child.digest));
}

async function openLayout(
  { folder, name }: Operand & { readonly kind: "layout" },
  platforms: readonly string[] | undefined,
): Promise<OpenedOperand> {
  const layout = new Layout(new StateOfLayout(folder));
  const refs = layout.refs();
  const chosen = name ?? (refs.size === 1 ? [...refs.keys()][0] : undefined);
  const descriptor = chosen === undefined ? undefined : refs.get(chosen);
  if (descriptor === undefined) {
    const names = [...refs.keys()].join(", ") || "none";
    throw usageFault(
      name === undefined
        ? `The layout names ${refs.size} images`
        : `The layout names no image "${name}"`,
      { where: folder, next: `write oci:FOLDER:NAME with one of its names: ${names}` },
    );
  }
  const store: ImageStore = {
    config: (each) => layout.read(each.digest),
    layer: (each) => layout.open(each.digest),
    places: [],
  };
  const read = async (each: Descriptor): Promise<ManifestBytes> => {
    const bytes = await layout.read(each.digest);
    const mediaType = documentType(bytes) ?? each.mediaType;
    return { descriptor: { ...each, mediaType }, bytes };
  };
  const shown = `oci:${folder}:${chosen}`;
  return await openPlatforms(store, await read(descriptor), shown, platforms, read);
}

/** Without wanted platforms: this machine's, or the only one. */
async function openPlatforms(
  store: ImageStore,
  top: ManifestBytes,
  name: string,
  wanted: readonly string[] | undefined,
  read: (child: Descriptor) => Promise<ManifestBytes>,
): Promise<OpenedOperand> {
  if (!isIndexType(top.descriptor.mediaType)) {
    const image = await openImage(store, top, name);
    return { images: [image], others: [] };
  }
  const reader = { manifest: read, config: (each: Descriptor) => store.config(each) };
  const children = await imagesOf(top, reader, name);
  const has = [...children.keys()];
  const chosen = wanted?.filter((each) => children.has(each)) ??
    (children.has(hostPlatform()) ? [hostPlatform()] : has.length === 1 ? has : []);
  if (chosen.length === 0) {
    const asked = (wanted ?? [hostPlatform()]).join(" or ");
    const only = has.length === 0 ? "and for no other" : `only for ${has.join(", ")}`;
    throw new Fault(`It has no image for ${asked}, ${only}`, {
      where: name,
      next: has.length === 0
        ? "check that the reference names a container image"
        : "choose one with --platform",
    });
  }
  const images = await Promise.all(
    chosen.map(async (each) => await openImage(store, await read(children.get(each)!), name)),
  );
  return { images, others: has.filter((each) => !chosen.includes(each)) };
}

function layoutOperand(text: string, cwd: string): Operand {
  const absolute = (path: string) => path.startsWith("/") ? path : `${cwd}/${path}`;
  if (exists(`${absolute(text)}/index.json`)) return { kind: "layout", folder: absolute(text) };
  const at = text.lastIndexOf(":");
  const folder = absolute(at < 0 ? text : text.slice(0, at));
  if (at < 0 || !exists(`${folder}/index.json`)) {
    throw usageFault("There is no OCI layout", {
      where: folder,
      next: "name the folder that holds its index.json",
    });
  }
  return { kind: "layout", folder, name: text.slice(at + 1) };
}

/** A layout that is not in a state folder. */
class StateOfLayout extends State {
  override get oci(): string {
    return this.folder;
  }
}
