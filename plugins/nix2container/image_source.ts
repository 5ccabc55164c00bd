/** From an image.json to an image whose layers stream from the store. */

import { Fault } from "../../lib/model/errors.ts";
import type { ImageSource, Layer } from "../../lib/model/image.ts";
import { parsePlatform } from "../../lib/model/platform.ts";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { type ImageJson, type JsonLayer, readImageJson } from "./image_json.ts";
import { asJson, layerData, requiredPaths } from "./layer_data.ts";
import { healthcheckOf, recipeOf } from "./options.ts";
import { servedConfig, servedManifest } from "./served.ts";
import type { Whereabouts } from "./walk.ts";

/**
 * The image that an image.json describes, with what the recipe adds.
 *
 * @param file absolute path of the image.json.
 * @throws {Fault} when it cannot be read, is for another architecture, or paths are missing.
 */
export function imageSource(
  request: BuildRequest,
  file: string,
  storeRoot: string,
): ImageSource {
  const described = readImageJson(file);
  checkArchitecture(request, described, file);
  const at = { base: file.slice(0, file.lastIndexOf("/")) || "/", storeRoot };
  const layers = described.layers.map((layer) => sourceLayer(layer, at));
  const config = servedConfig(described, additionsOf(request));
  return {
    config,
    layers,
    manifest: servedManifest(config, layers.map((each) => each.descriptor)),
  };
}

function sourceLayer(layer: JsonLayer, at: Whereabouts): Layer {
  const data = layerData(layer, at);
  const requires = requiredPaths(data);
  // A file that holds the layer may be reached through links; a path that is a link stays one.
  const infos = requires.map((path) =>
    infoOf(path, layer.layerPath === undefined ? Deno.lstatSync : Deno.statSync)
  );
  const size = layer.layerPath === undefined ? layer.size : infos[0]!.size;
  return {
    descriptor: { mediaType: layer.mediaType, digest: layer.digest, size },
    diffId: layer.diffId,
    places: [{ at: "plugin", data: asJson(data), requires }],
  };
}

function additionsOf({ image, context }: BuildRequest) {
  const { healthcheck } = recipeOf(image);
  return {
    labels: image.common.labels,
    ...(healthcheck === undefined ? {} : { healthcheck: healthcheckOf(healthcheck) }),
    // 0 is the default, under which the time that image.json carries stays.
    ...(context.created === 0 ? {} : {
      created: new Date(context.created * 1000).toISOString().replace(".000Z", "Z"),
    }),
  };
}

/** Under an index every platform must be what it says; a single image is the user's own affair. */
function checkArchitecture({ image, context }: BuildRequest, { arch }: ImageJson, file: string) {
  const { architecture } = parsePlatform(context.platform);
  if (arch === "" || arch === architecture) return;
  const message = `The image is for ${arch}, not for ${context.platform}`;
  if (image.common.platforms.length === 1) {
    context.notice(`${message}; name its platform in \`platforms\``);
    return;
  }
  throw new Fault(message, {
    where: file,
    next: "give buildImage the `arch` of the system, or correct `platforms` in images.ts",
  });
}

function infoOf(path: string, stat: (path: string) => Deno.FileInfo): Deno.FileInfo {
  try {
    return stat(path);
  } catch (cause) {
    throw new Fault("A path of the image is not on this machine", {
      where: path,
      next: "build it here, or bring it with `nix copy` from where it was built",
      cause,
    });
  }
}
