/** Config and manifest, byte for byte as nix2container's `nix:` transport serves them. */

import { type Healthcheck, type History, MediaType } from "../../lib/model/oci.ts";
import type { Descriptor } from "../../lib/model/oci.ts";
import { goJson, goMap } from "../../lib/oci/json.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import type { ImageJson } from "./image_json.ts";

/** What images.ts adds to an image's config; nothing of it is there by default. */
export interface Additions {
  readonly labels: Readonly<Record<string, string>>;
  readonly healthcheck?: Healthcheck;
  /** RFC 3339 time. */
  readonly created?: string;
}

/** The config's bytes. The architecture is empty where only a base image was wrapped. */
export function servedConfig(image: ImageJson, add: Additions): Uint8Array {
  const { config, layers } = image;
  const created = add.created ?? image.created;
  const empty = layers.length === 0;
  return goJson({
    ...(created === undefined ? {} : { created }),
    architecture: image.arch,
    os: "linux",
    config: filled({
      User: config.User,
      ExposedPorts: goMap(config.ExposedPorts ?? {}),
      Env: config.Env,
      Entrypoint: config.Entrypoint,
      Cmd: config.Cmd,
      Volumes: goMap(config.Volumes ?? {}),
      WorkingDir: config.WorkingDir,
      Labels: goMap({ ...config.Labels, ...add.labels }),
      StopSignal: config.StopSignal,
      ArgsEscaped: config.ArgsEscaped,
      Healthcheck: add.healthcheck && filled({ ...add.healthcheck }),
    }),
    rootfs: empty
      ? { type: "", diff_ids: null }
      : { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    ...(empty ? {} : { history: layers.map(({ history }) => historyOf(history)) }),
  });
}

/** The manifest's bytes. */
export function servedManifest(config: Uint8Array, layers: readonly Descriptor[]): Uint8Array {
  return goJson({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    config: { mediaType: MediaType.config, digest: sha256(config), size: config.length },
    layers: layers.length === 0
      ? null
      : layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  });
}

function historyOf(history: History): Record<string, unknown> {
  return filled({
    created: history.created,
    created_by: history.created_by,
    author: history.author,
    comment: history.comment,
    empty_layer: history.empty_layer,
  });
}

/** Leaves out what Go's `omitempty` leaves out. */
function filled(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === "" || value === false || value === 0) return true;
  if (value instanceof Map) return value.size === 0;
  return typeof value === "object" && Object.keys(value ?? {}).length === 0;
}
