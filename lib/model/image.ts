/** An image whose blobs can be had, wherever they are. */

import type { Digest } from "./digest.ts";
import type { Json } from "./json.ts";
import type { Descriptor, ImageConfig } from "./oci.ts";

/** Where a blob's bytes can be had. */
export type BlobPlace =
  /** In `.images/oci`. */
  | { readonly at: "layout" }
  /** In a registry's repository. */
  | { readonly at: "registry"; readonly host: string; readonly repository: string }
  /** Made again by the plugin that built the image (`Plugin.openLayer`), from `data`. */
  | {
    readonly at: "plugin";
    readonly data: Json;
    /** Name of that plugin, noted when the image is recorded: an image on it may be of another. */
    readonly plugin?: string;
    /** Absolute paths that must be there for this place to hold. */
    readonly requires?: readonly string[];
  };

/** A layer of a built image. */
export interface Layer {
  /** As built: what the manifest in `.images/oci` says. */
  readonly descriptor: Descriptor;
  /** Digest of the uncompressed tar. */
  readonly diffId: Digest;
  /** Places to have it from, the cheapest first. */
  readonly places: readonly BlobPlace[];
}

/** How an index that a tool made lists an image, and what is noted on that index. */
export interface Listing {
  /** The image's descriptor in the index. */
  readonly descriptor: Descriptor;
  /** Annotations of the index. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** What a plugin's build hands back: exact bytes of config and manifest, and where the layers are. */
export interface ImageSource {
  /** The config's exact bytes; their sha256 is the image ID. */
  readonly config: Uint8Array;
  /** The lowest first. */
  readonly layers: readonly Layer[];
  /** The manifest's exact bytes where the plugin has its own; else one is made from the layers. */
  readonly manifest?: Uint8Array;
  /** Where the tool made an index over several platforms, too. */
  readonly listing?: Listing;
}

/** One platform's image in full, its layers opened when asked for. */
export interface LocalImage {
  /** Name in images.ts. */
  readonly name: string;
  /** e.g. `linux/amd64`. */
  readonly platform: string;
  /** Digest of the config. */
  readonly imageId: Digest;
  /** The manifest's exact bytes. */
  readonly manifest: Uint8Array;
  /** Digest of the manifest. */
  readonly manifestDigest: Digest;
  /** Media type of the manifest. */
  readonly manifestMediaType: string;
  /** The config's exact bytes. */
  readonly configBytes: Uint8Array;
  /** The config, read. */
  readonly config: ImageConfig;
  /** The lowest first. */
  readonly layers: readonly OpenableLayer[];
}

/** An extended attribute of a file: its name, and its value in Base64. */
export type ExtendedAttribute = readonly [name: string, value: string];

/** What a file can be that is no file of its own: character and block devices, named pipes. */
export type SpecialType = "character" | "block" | "fifo";

/** A file of a layer, as its entry in the layer's tar describes it. */
export interface LayerMember {
  /** Absolute path in the image. */
  readonly path: string;
  /** What it is; hard links are files. */
  readonly type: "file" | "directory" | "symlink" | SpecialType | "other";
  /** Permission bits. */
  readonly mode: number;
  /** Owner. */
  readonly uid: number;
  /** Group. */
  readonly gid: number;
  /** Size in bytes. */
  readonly size: number;
  /** Where a symlink leads, as it is written. */
  readonly linkTarget?: string;
  /** A device's numbers. */
  readonly device?: readonly [major: number, minor: number];
  /** Extended attributes, sorted by name. */
  readonly xattrs?: readonly ExtendedAttribute[];
}

/** A layer whose bytes can be read. */
export interface OpenableLayer extends Layer {
  /**
   * The layer's bytes as `descriptor` names them (compressed if its media type says so), each
   * stream checked against the digest: it errors before it ends if they differ.
   */
  open(signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Its files without reading any, where the plugin that made it can tell. */
  list?(): Promise<readonly LayerMember[] | undefined>;
}
