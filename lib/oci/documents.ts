/**
 * Configs, manifests and indexes: written with the fields in Go's order, maps sorted and what is
 * empty left out; read with their shapes checked, since they come from anywhere.
 *
 * @see https://github.com/opencontainers/image-spec/tree/v1.1.1/specs-go/v1
 */

import { Fault } from "../model/errors.ts";
import type {
  ContainerConfig,
  Descriptor,
  Healthcheck,
  History,
  ImageConfig,
  Index,
  Manifest,
} from "../model/oci.ts";
import { MediaType } from "../model/oci.ts";
import { CONFIG, INDEX, MANIFEST } from "./document_schemas.ts";
import { checkDepth, object, ShapeError } from "./document_shapes.ts";
import { goJson, goMap } from "./json.ts";

/** The largest manifest, index or config that is read, in bytes; registries refuse larger ones. */
export const DOCUMENT_LIMIT: number = 4 * 1024 * 1024;

/**
 * The bytes of a config.
 *
 * @param others writes fields that are not known here too, after the others.
 */
export function encodeConfig(config: ImageConfig, others = false): Uint8Array {
  const { config: inner = {} } = config;
  const innerFields = containerFields(inner);
  const fields = {
    created: config.created,
    author: config.author,
    architecture: config.architecture,
    os: config.os,
    "os.version": config["os.version"],
    "os.features": config["os.features"],
    variant: config.variant,
    config: compact(others ? withOthers(innerFields, inner) : innerFields),
    rootfs: { type: config.rootfs.type, diff_ids: config.rootfs.diff_ids },
    history: config.history?.map(historyFields),
  };
  return goJson(compact(others ? withOthers(fields, config) : fields));
}

/**
 * The bytes of a manifest.
 *
 * @param others writes fields that are not known here too, after the others.
 */
export function encodeManifest(manifest: {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}, others = false): Uint8Array {
  const fields = {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: descriptorFields(manifest.config, others),
    layers: manifest.layers.map((layer) => descriptorFields(layer, others)),
    annotations: sorted(manifest.annotations),
  };
  return goJson(compact(others ? withOthers(fields, manifest) : fields, ["layers"]));
}

/**
 * The bytes of an index.
 *
 * @param others writes fields that are not known here too, after the others.
 */
export function encodeIndex(index: {
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}, others = false): Uint8Array {
  const fields = {
    schemaVersion: 2,
    mediaType: MediaType.index,
    manifests: index.manifests.map((child) => descriptorFields(child, others)),
    annotations: sorted(index.annotations),
  };
  return goJson(compact(others ? withOthers(fields, index) : fields, ["manifests"]));
}

/** Docker's own fields follow those of the specification, in the order of moby's struct. */
function containerFields(config: ContainerConfig): Record<string, unknown> {
  return {
    User: config.User,
    ExposedPorts: sorted(config.ExposedPorts),
    Env: config.Env,
    Entrypoint: config.Entrypoint,
    Cmd: config.Cmd,
    Volumes: sorted(config.Volumes),
    WorkingDir: config.WorkingDir,
    Labels: sorted(config.Labels),
    StopSignal: config.StopSignal,
    ArgsEscaped: config.ArgsEscaped,
    Healthcheck: config.Healthcheck && healthFields(config.Healthcheck),
    OnBuild: config.OnBuild,
    Shell: config.Shell,
  };
}

function healthFields(check: Healthcheck): Record<string, unknown> {
  const { Test, Interval, Timeout, StartPeriod, StartInterval, Retries } = check;
  return compact({ Test, Interval, Timeout, StartPeriod, StartInterval, Retries });
}

function historyFields(history: History): Record<string, unknown> {
  const { created, created_by, author, comment, empty_layer } = history;
  return compact({ created, created_by, author, comment, empty_layer });
}

function descriptorFields(descriptor: Descriptor, others: boolean): Record<string, unknown> {
  const { mediaType, digest, size, urls, annotations, platform, artifactType } = descriptor;
  const known = platform && {
    architecture: platform.architecture,
    os: platform.os,
    variant: platform.variant,
  };
  const fields = {
    mediaType,
    digest,
    size,
    urls,
    annotations: sorted(annotations),
    platform: known && compact(others ? withOthers(known, platform) : known),
    artifactType,
  };
  return compact(others ? withOthers(fields, descriptor) : fields, ["size"]);
}

/** Adds what a document that was read has besides. */
function withOthers(fields: Record<string, unknown>, read: object): Record<string, unknown> {
  return {
    ...fields,
    ...Object.fromEntries(Object.entries(read).filter(([name]) => !(name in fields))),
  };
}

/** Leaves out what Go's `omitempty` leaves out, except where it must be there. */
function compact(
  fields: Record<string, unknown>,
  keep: readonly string[] = [],
): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([name, value]) =>
    keep.includes(name) || name === "config" || !isEmpty(value)
  );
  return Object.fromEntries(entries);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === false || value === 0) return true;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map) return value.size === 0;
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}

function sorted<V>(
  map: Readonly<Record<string, V>> | undefined,
): ReadonlyMap<string, V> | undefined {
  return map === undefined ? undefined : goMap(map);
}

/** Reads a manifest. @throws {Fault} when it is none. */
export function parseManifest(bytes: Uint8Array, where: string): Manifest {
  const value = parseObject(bytes, where, "manifest", (read) => {
    if (isPresent(read.manifests)) throw new Error("it is an index as well");
    return MANIFEST(read, "");
  });
  // Go writes null for a list that nothing was ever put into.
  return { ...value, layers: value.layers ?? [] } as unknown as Manifest;
}

/** Reads an index. @throws {Fault} when it is none. */
export function parseIndex(bytes: Uint8Array, where: string): Index {
  return parseObject(bytes, where, "index", (read) => {
    if (isPresent(read.layers)) throw new Error("it is a manifest as well");
    return INDEX({ ...read, manifests: read.manifests ?? null }, "");
  }) as unknown as Index;
}

/** Reads a config. @throws {Fault} when it is none. */
export function parseConfig(bytes: Uint8Array, where: string): ImageConfig {
  const value = parseObject(bytes, where, "config", (read) => CONFIG(read, ""));
  const { config, rootfs, ...rest } = value;
  const { diff_ids: diffIds = [] } = (rootfs ?? {}) as Partial<ImageConfig["rootfs"]>;
  return {
    ...rest,
    config: config ?? {},
    rootfs: { type: "layers", diff_ids: diffIds },
  } as unknown as ImageConfig;
}

/**
 * The media type of a manifest or index: what it says itself, or what it looks like; undefined for
 * other documents.
 */
export function documentType(bytes: Uint8Array): string | undefined {
  try {
    const read = JSON.parse(new TextDecoder().decode(bytes));
    if (read?.schemaVersion !== 2) return undefined;
    if (MANIFEST_TYPES.includes(read.mediaType)) return read.mediaType;
    if (Array.isArray(read.manifests)) return MediaType.index;
    return isPresent(read.config) ? MediaType.manifest : undefined;
  } catch {
    return undefined;
  }
}

/** Media types of manifests and indexes that are understood. */
export const MANIFEST_TYPES: readonly string[] = [
  MediaType.manifest,
  MediaType.index,
  MediaType.dockerManifest,
  MediaType.dockerIndex,
];

function parseObject(
  bytes: Uint8Array,
  where: string,
  what: string,
  check: (read: Record<string, unknown>) => unknown,
): Record<string, unknown> {
  try {
    if (bytes.length > DOCUMENT_LIMIT) {
      throw new Error(`it has ${bytes.length} bytes, more than ${DOCUMENT_LIMIT}`);
    }
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    checkDepth(value);
    const read = object({})(value, "") as Record<string, unknown>;
    const { schemaVersion } = read;
    if (what !== "config" && schemaVersion !== 2) {
      throw new ShapeError("schemaVersion", "2", schemaVersion);
    }
    return check(read) as Record<string, unknown>;
  } catch (cause) {
    const { message } = cause as Error;
    const isJson = !(cause instanceof SyntaxError || cause instanceof TypeError);
    const said = isJson
      ? `This is not an image ${what} as the OCI specification has it`
      : `Cannot read the ${what}`;
    throw new Fault(`${said}: ${message}`, {
      where,
      next: "check that the reference names a container image, and let whoever made it mend it",
      cause,
    });
  }
}

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null;
}
