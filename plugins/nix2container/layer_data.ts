/** What is kept of a layer so that it can be made again: the data of its place. */

import type { Json } from "../../lib/model/json.ts";
import type { JsonLayer, JsonPath } from "./image_json.ts";
import { diskPath, type Whereabouts } from "./walk.ts";

/** A layer's origin: paths that a tar is made of, or a file that holds it. */
export interface LayerData extends Whereabouts {
  readonly paths: readonly JsonPath[];
  /** A file on disk, as image.json names it. */
  readonly layerPath?: string;
  /** When the image was built, in milliseconds since 1970. */
  readonly builtAt: number;
}

/** The data of a layer. */
export function layerData(layer: JsonLayer, at: Whereabouts): LayerData {
  const { paths, layerPath } = layer;
  return {
    base: at.base,
    storeRoot: at.storeRoot,
    builtAt: Date.now(),
    ...(layerPath === undefined ? { paths } : { paths: [], layerPath }),
  };
}

/** Absolute paths that must be there for the layer to be made again. */
export function requiredPaths(data: LayerData): string[] {
  const { paths, layerPath } = data;
  const named = layerPath === undefined ? paths.map(({ path }) => path) : [layerPath];
  return named.map((path) => diskPath(path, data));
}

/** The data as a record keeps it. */
export function asJson(data: LayerData): Json {
  return data as unknown as Json;
}

/** The data as it was recorded. */
export function fromJson(data: Json): LayerData {
  return data as unknown as LayerData;
}
