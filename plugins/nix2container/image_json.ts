/**
 * nix2container's image.json: what goes into an image, as the Nix build describes it. It is read as
 * Go reads it (keys in any case, null for nothing, unknown keys left aside) and trusted no further.
 *
 * @see https://github.com/nlewo/nix2container/blob/20d3395/types/types.go
 */

import { type Digest, isDigest } from "../../lib/model/digest.ts";
import { Fault } from "../../lib/model/errors.ts";
import { type ContainerConfig, type History, MediaType } from "../../lib/model/oci.ts";
import { goTime } from "./go_time.ts";
import { Fields } from "./json_fields.ts";
import { readRegularText } from "../../lib/util/regular_file.ts";

/** An image as image.json describes it. */
export interface ImageJson {
  readonly config: ContainerConfig;
  readonly layers: readonly JsonLayer[];
  /** Architecture in Go's words; empty where only a base image was wrapped. */
  readonly arch: string;
  /** RFC 3339 time. */
  readonly created?: string;
}

/** A layer: regenerated from `paths`, or a file at `layerPath`. */
export interface JsonLayer {
  readonly digest: Digest;
  /** Bytes; 0 for layers of pulled bases, whose size image.json does not know. */
  readonly size: number;
  readonly diffId: Digest;
  readonly mediaType: string;
  readonly paths: readonly JsonPath[];
  readonly layerPath?: string;
  readonly history: History;
}

/** A path of a layer, and how its names and owners are changed on the way. */
export interface JsonPath {
  readonly path: string;
  readonly rewrite?: { readonly regex: string; readonly repl: string };
  readonly perms?: readonly JsonPerm[];
}

/** Mode and owner of what a regular expression matches. */
export interface JsonPerm {
  readonly regex: string;
  /** Octal text; empty for "as it is". */
  readonly mode: string;
  readonly uid: number;
  readonly gid: number;
  /** Empty for "as it is". */
  readonly uname: string;
  readonly gname: string;
}

/** The most bytes of an image.json; those of whole systems have a few megabytes. */
const SIZE_LIMIT = 64 * 1024 * 1024;

const MEDIA_TYPES: ReadonlySet<string> = new Set([
  MediaType.layer,
  MediaType.layerGzip,
  MediaType.layerZstd,
]);

/**
 * Reads an image.json.
 *
 * @throws {Fault} when it is missing, or is none.
 */
export function readImageJson(path: string): ImageJson {
  let text: string;
  try {
    const { size, isFile } = Deno.statSync(path);
    if (!isFile) {
      throw new Fault("It is no image.json", {
        where: path,
        next: "name what buildImage of nix2container gives, not a package",
      });
    }
    if (size > SIZE_LIMIT) {
      throw new Fault(`It is larger than ${SIZE_LIMIT} bytes`, { where: path });
    }
    text = readRegularText(path);
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("Cannot read the image's description", {
      where: path,
      next: "build it with Nix, or correct `manifest` in images.ts",
      cause,
    });
  }
  return parseImageJson(text, path);
}

/**
 * Reads an image.json's text.
 *
 * @throws {Fault} naming the field that is not as it must be.
 */
export function parseImageJson(text: string, where: string): ImageJson {
  const image = Fields.parse(text, where);
  const version = image.integer("version", 1);
  if (version !== 1) {
    throw image.fault("version", `is ${version}, and only 1 is known`);
  }
  const created = time(image, "created");
  return {
    config: containerConfig(image.fields("image-config")),
    layers: image.list("layers").map((layer) => readLayer(layer)),
    arch: image.string("arch"),
    ...(created === undefined ? {} : { created }),
  };
}

/** Config keys that the `nix:` transport knows; it drops all others, `Healthcheck` among them. */
function containerConfig(config: Fields): ContainerConfig {
  return {
    User: config.string("User"),
    ExposedPorts: config.set("ExposedPorts"),
    Env: config.strings("Env"),
    Entrypoint: config.strings("Entrypoint"),
    Cmd: config.strings("Cmd"),
    Volumes: config.set("Volumes"),
    WorkingDir: config.string("WorkingDir"),
    Labels: config.map("Labels"),
    StopSignal: config.string("StopSignal"),
    ArgsEscaped: config.boolean("ArgsEscaped"),
  };
}

function readLayer(layer: Fields): JsonLayer {
  const mediaType = layer.string("mediatype") || MediaType.layer;
  if (!MEDIA_TYPES.has(mediaType)) {
    throw layer.fault("mediatype", `is "${mediaType}", which no layer of an OCI image has`);
  }
  const layerPath = layer.string("layer-path");
  const size = layer.integer("size", 0);
  if (size < 0) throw layer.fault("size", "is negative");
  const paths = layer.list("paths").map(readPath);
  if (layerPath === "" && paths.length === 0) {
    throw layer.fault("paths", "is empty, and there is no layer-path either");
  }
  return {
    digest: digest(layer, "digest"),
    size,
    diffId: digest(layer, "diff_ids"),
    mediaType,
    paths,
    ...(layerPath === "" ? {} : { layerPath }),
    history: readHistory(layer.fields("History")),
  };
}

function readPath(path: Fields): JsonPath {
  const source = path.string("path");
  if (source === "" || source.includes("\0")) throw path.fault("path", "is no path");
  if (!path.has("options")) return { path: source };
  const options = path.fields("options");
  const rewrite = options.fields("rewrite");
  return {
    path: source,
    rewrite: { regex: rewrite.string("regex"), repl: rewrite.string("repl") },
    perms: options.list("perms").map((perm) => ({
      regex: perm.string("regex"),
      mode: perm.string("mode"),
      uid: perm.integer("uid", 0),
      gid: perm.integer("gid", 0),
      uname: perm.string("uname"),
      gname: perm.string("gname"),
    })),
  };
}

function readHistory(history: Fields): History {
  const created = time(history, "created");
  return {
    ...(created === undefined ? {} : { created }),
    created_by: history.string("created_by"),
    author: history.string("author"),
    comment: history.string("comment"),
    empty_layer: history.boolean("empty_layer"),
  };
}

function digest(fields: Fields, name: string): Digest {
  const value = fields.string(name);
  if (isDigest(value)) return value;
  throw fields.fault(name, `is "${value}", no sha256 digest`);
}

function time(fields: Fields, name: string): string | undefined {
  const text = fields.string(name);
  if (text === "") return undefined;
  const written = goTime(text);
  if (written === undefined) throw fields.fault(name, `is "${text}", no RFC 3339 time`);
  return written;
}
