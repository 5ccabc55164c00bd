/**
 * What manifests, indexes and configs hold. Lists and tables that Go writes as null are left out.
 *
 * @see https://github.com/opencontainers/image-spec/tree/v1.1.1/schema
 */

import { isDigest } from "../model/digest.ts";
import {
  type Check,
  count,
  empty,
  flag,
  list,
  object,
  ShapeError,
  table,
  text,
  time,
  whole,
} from "./document_shapes.ts";

const TEXTS = list(text);
const TEXT_TABLE = table(text, () => "");
const OBJECT_TABLE = table(empty, () => ({}));

const PLATFORM = object({
  architecture: text,
  os: text,
  variant: text,
  "os.version": text,
  "os.features": TEXTS,
});

const DESCRIPTOR = object({
  mediaType: text,
  digest,
  size: count,
  urls: TEXTS,
  annotations: TEXT_TABLE,
  platform: PLATFORM,
  artifactType: text,
  data: text,
}, ["mediaType", "digest", "size"]);

/** An image manifest. */
export const MANIFEST: Check = object({
  schemaVersion: whole,
  mediaType: text,
  artifactType: text,
  config: DESCRIPTOR,
  layers: list(DESCRIPTOR),
  subject: DESCRIPTOR,
  annotations: TEXT_TABLE,
}, ["schemaVersion", "config"]);

/** An image index. */
export const INDEX: Check = object({
  schemaVersion: whole,
  mediaType: text,
  artifactType: text,
  manifests: list(DESCRIPTOR),
  subject: DESCRIPTOR,
  annotations: TEXT_TABLE,
}, ["schemaVersion", "manifests"]);

/** An image's config. */
export const CONFIG: Check = object({
  created: time,
  author: text,
  architecture: text,
  os: text,
  "os.version": text,
  "os.features": TEXTS,
  variant: text,
  config: object({
    User: text,
    ExposedPorts: OBJECT_TABLE,
    Env: TEXTS,
    Entrypoint: TEXTS,
    Cmd: TEXTS,
    Volumes: OBJECT_TABLE,
    WorkingDir: text,
    Labels: TEXT_TABLE,
    StopSignal: text,
    ArgsEscaped: flag,
    Healthcheck: object({
      Test: TEXTS,
      Interval: whole,
      Timeout: whole,
      StartPeriod: whole,
      StartInterval: whole,
      Retries: whole,
    }),
    OnBuild: TEXTS,
    Shell: TEXTS,
  }),
  rootfs: object({ type: text, diff_ids: list(digest) }),
  history: list(object({
    created: time,
    created_by: text,
    author: text,
    comment: text,
    empty_layer: flag,
  })),
}, ["architecture", "os"]);

function digest(value: unknown, at: string): string {
  if (isDigest(value)) return value;
  throw new ShapeError(at, 'a digest, "sha256:" and 64 hexadecimal digits', value);
}
