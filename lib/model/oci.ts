/**
 * The documents of the OCI image specification, as far as they are used here.
 *
 * @see https://github.com/opencontainers/image-spec/tree/v1.1.1
 */

import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** Media types that are written or understood. */
export const MediaType = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** Names a blob. */
export interface Descriptor {
  /** What the blob is. */
  readonly mediaType: string;
  /** Digest of its bytes. */
  readonly digest: Digest;
  /** Size in bytes. */
  readonly size: number;
  /** Other places to have it from. */
  readonly urls?: readonly string[];
  /** Its bytes, in Base64. */
  readonly data?: string;
  /** Notes by name. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** For which platform it is, in an index. */
  readonly platform?: Platform;
  /** What an artifact is. */
  readonly artifactType?: string;
}

/** An image manifest: one platform. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** An image index: several platforms under one digest. */
export interface Index {
  readonly schemaVersion: 2;
  readonly mediaType?: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The part of an image's config that a container starts from. */
export interface ContainerConfig {
  /** User, and group after a colon. */
  readonly User?: string;
  /** Ports such as `8080/tcp`. */
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  /** Variables as `NAME=value`. */
  readonly Env?: readonly string[];
  /** Program and arguments that always run. */
  readonly Entrypoint?: readonly string[];
  /** Arguments that may be replaced. */
  readonly Cmd?: readonly string[];
  /** Paths that hold data of their own. */
  readonly Volumes?: Readonly<Record<string, Record<string, never>>>;
  /** Working directory. */
  readonly WorkingDir?: string;
  /** Labels by name. */
  readonly Labels?: Readonly<Record<string, string>>;
  /** Signal that ends the container. */
  readonly StopSignal?: string;
  /** Windows only: arguments are escaped. */
  readonly ArgsEscaped?: boolean;
  /** Docker's extension: how to ask a container for its health. Times in nanoseconds. */
  readonly Healthcheck?: Healthcheck;
  /** Docker's extension: instructions for images built on this one. */
  readonly OnBuild?: readonly string[];
  /** Docker's extension: the shell of shell-form instructions. */
  readonly Shell?: readonly string[];
}

/** Docker's health check; times in nanoseconds. */
export interface Healthcheck {
  /** `NONE`, or `CMD` or `CMD-SHELL` and the command. */
  readonly Test?: readonly string[];
  /** Time between two checks. */
  readonly Interval?: number;
  /** Time after which a check has failed. */
  readonly Timeout?: number;
  /** Time to start in which failures do not count. */
  readonly StartPeriod?: number;
  /** Time between two checks while starting. */
  readonly StartInterval?: number;
  /** Failures in a row that make it unhealthy. */
  readonly Retries?: number;
}

/** How a layer, or a change without a layer, came to be. */
export interface History {
  /** RFC 3339 time. */
  readonly created?: string;
  /** What made it. */
  readonly created_by?: string;
  /** Who made it. */
  readonly author?: string;
  /** A note. */
  readonly comment?: string;
  /** It changed no file, so it has no layer. */
  readonly empty_layer?: boolean;
}

/** An image's config blob; its digest is the image ID. */
export interface ImageConfig {
  /** RFC 3339 time. */
  readonly created?: string;
  /** Who made it. */
  readonly author?: string;
  /** In Go's words, e.g. `amd64`. */
  readonly architecture: string;
  /** e.g. `linux`. */
  readonly os: string;
  /** Version of the operating system (Windows). */
  readonly "os.version"?: string;
  /** Features of the operating system (Windows). */
  readonly "os.features"?: readonly string[];
  /** Variant of the architecture, e.g. `v7`. */
  readonly variant?: string;
  /** What a container starts from. */
  readonly config?: ContainerConfig;
  /** Digests of the uncompressed layers, the lowest first. */
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  /** How each layer came to be. */
  readonly history?: readonly History[];
}
