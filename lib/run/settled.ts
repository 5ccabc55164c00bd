/** What became of a node. */

import type { Fault } from "../model/errors.ts";
import type { Json } from "../model/json.ts";
import type { Description } from "../model/plugin.ts";
import type { BuildStatus, Reason, Verdict } from "../model/result.ts";
import type { Digest } from "../model/digest.ts";
import type { Descriptor } from "../model/oci.ts";
import type { ImageNode, TaskNode } from "../plan/graph.ts";
import type { ImageRecord } from "../store/records.ts";

/** An image that is settled, one way or another. */
export interface SettledImage {
  readonly node: ImageNode;
  readonly status?: BuildStatus;
  readonly verdict?: Verdict;
  readonly key?: string;
  /** What goes in, and the identity its plugin gave, as its key was made. */
  readonly description?: Description;
  readonly identity?: Json;
  /** Where the image is known: built, recorded or found in a registry. */
  readonly record?: ImageRecord;
  readonly reasons: readonly Reason[];
  readonly fault?: Fault;
  /** Time it took, in milliseconds. */
  readonly ms: number;
  /** How long its last build took, where it was not repeated, in milliseconds. */
  readonly saved?: number;
}

/** Says whether an image's key could be made. */
export function isKeyed(image: SettledImage): image is SettledImage & { readonly key: string } {
  return image.key !== undefined;
}

/** A task that is settled. */
export interface SettledTask {
  readonly node: TaskNode;
  readonly status?: BuildStatus;
  readonly verdict?: Verdict;
  readonly key?: string;
  readonly reasons: readonly Reason[];
  readonly fault?: Fault;
  readonly ms: number;
  /** How long its last run took, where it was not repeated, in milliseconds. */
  readonly saved?: number;
}

/** Any settled node. */
export type Settled = SettledImage | SettledTask;

/** An image of several platforms as one. */
export interface SettledIndex {
  readonly name: string;
  readonly plugin: string;
  readonly key?: string;
  readonly digest?: Digest;
  /** The index over what is recorded here, where it was written. */
  readonly local?: Descriptor;
  readonly status?: BuildStatus;
  readonly verdict?: Verdict;
  /** What is wrong with the platform that its status comes from. */
  readonly fault?: Fault;
  readonly needs: readonly string[];
}
