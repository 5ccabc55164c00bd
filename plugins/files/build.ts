/** Plugin `files`: images made of folders and files, without any other tool. */

import { literalPattern } from "../../lib/files/selection.ts";
import { encodeConfig } from "../../lib/oci/documents.ts";
import { type LayerFile, refuseWhiteouts, writeLayer } from "../../lib/oci/layer.ts";
import type { ImageSource, Layer, LocalImage } from "../../lib/model/image.ts";
import type { Json } from "../../lib/model/json.ts";
import { MediaType } from "../../lib/model/oci.ts";
import type { BuildContext, BuildRequest, Description, Plugin } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { formatReference, parseReference } from "../../lib/model/reference.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { imageConfig } from "./config.ts";
import { layerFiles, Parents } from "./layer_files.ts";
import { type FilesRecipe, type LayerRecipe, PLUGIN } from "./recipe.ts";

/** The plugin. */
export const plugin: Plugin = { ...PLUGIN, describe, build };

function describe(image: Image): Description {
  const recipe = image.options as unknown as FilesRecipe;
  const { base, layers } = recipe;
  return {
    options: recipe as unknown as Json,
    inputs: layers.map(selectionOfLayer),
    images: typeof base === "object" ? [base.image] : [],
    bases: typeof base === "string" ? [formatReference(parseReference(base))] : [],
  };
}

/** A path's own text is a pattern that takes it, and all below it where it is a folder. */
function selectionOfLayer({ from }: LayerRecipe): Selection {
  const path = normalized(from);
  return { root: ".", include: [path === "." ? "**" : literalPattern(path)] };
}

async function build({ image, context }: BuildRequest): Promise<ImageSource> {
  const recipe = image.options as unknown as FilesRecipe;
  const base = await openBase(recipe, context);
  const parents = await Parents.of(base, context);
  const own: Layer[] = [];
  for (const [at, layer] of recipe.layers.entries()) {
    context.progress({ phase: "layer", done: at + 1, total: recipe.layers.length, unit: "steps" });
    const files = layerFiles({ ...layer, from: normalized(layer.from) }, context, parents);
    own.push(await layerOf(context, files));
  }
  const inherited = base?.layers.map(plainLayer) ?? [];
  if (inherited.length + own.length === 0) own.push(await layerOf(context, []));
  const layers = [...inherited, ...own];
  const config = imageConfig(image, recipe, context, base, own.map((layer) => layer.diffId));
  return { config: encodeConfig(config), layers };
}

/** Writes a layer. One without files stands where there is no other: a manifest has at least one. */
async function layerOf(context: BuildContext, files: Iterable<LayerFile>): Promise<Layer> {
  const content = writeLayer(refuseWhiteouts(files), { mtime: context.created, transient: true });
  const descriptor = await context.writeBlob(MediaType.layer, content);
  return { descriptor, diffId: descriptor.digest, places: [{ at: "layout" }] };
}

async function openBase(
  { base }: FilesRecipe,
  context: BuildContext,
): Promise<LocalImage | undefined> {
  if (base === undefined) return undefined;
  if (typeof base === "object") return await context.need(base.image);
  return await context.base(formatReference(parseReference(base)));
}

function plainLayer({ descriptor, diffId, places }: Layer): Layer {
  return { descriptor, diffId, places };
}

function normalized(path: string): string {
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  return parts.length === 0 ? "." : parts.join("/");
}
