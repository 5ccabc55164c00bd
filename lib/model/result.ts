/** Results: the words of design 4, and the JSON document every command writes. */

import type { Digest } from "./digest.ts";

/** What became of an image or task in a build. */
export type BuildStatus = "cached" | "remote" | "built" | "failed" | "skipped" | "unavailable";

/** What would become of it. */
export type Verdict = "current" | "remote" | "build" | "unknown" | "unavailable";

/** What became of one destination of a push. */
export type PushStatus = "current" | "pushed" | "copied" | "retagged" | "failed" | "skipped";

/** Why something is, or would be, built. */
export type ReasonKind =
  | "first-build"
  | "input-changed"
  | "input-added"
  | "input-removed"
  | "option-changed"
  | "env-changed"
  | "base-changed"
  | "need-changed"
  | "plugin-changed"
  | "forced"
  | "result-missing";

/** One reason: what kind, of which file, option, variable, base or need, and how it changed. */
export interface Reason {
  readonly kind: ReasonKind;
  /** File path, option, variable, base or need. */
  readonly path?: string;
  /** How it changed, for people. */
  readonly detail?: string;
}

/** Where an image was (or would be) published. */
export interface DestinationResult {
  /** Name of the declared registry. */
  readonly registry: string;
  /** `host/repository:tag`. */
  readonly reference: string;
  readonly digest?: Digest;
  readonly status: PushStatus;
  /** Why, for people. */
  readonly detail?: string;
}

/** One image on one platform, or its index. */
export interface ImageResult {
  readonly name: string;
  /** `linux/amd64`, or `index`. */
  readonly platform: string;
  readonly plugin: string;
  /** 64 hex digits, where it could be computed. */
  readonly key?: string;
  /** Content tag. */
  readonly tag?: string;
  readonly digest?: Digest;
  readonly imageId?: Digest;
  readonly status?: BuildStatus;
  readonly verdict?: Verdict;
  readonly reasons: readonly Reason[];
  readonly needs: readonly string[];
  readonly ms: number;
  readonly error?: ErrorResult;
  readonly destinations?: readonly DestinationResult[];
}

/** An error as data. */
export interface ErrorResult {
  readonly message: string;
  /** `file:line:column`, or what it is about. */
  readonly where?: string;
  readonly next?: string;
  readonly log?: string;
}

/** One task. */
export interface TaskResult {
  readonly name: string;
  readonly key?: string;
  readonly status?: BuildStatus;
  readonly verdict?: Verdict;
  readonly reasons: readonly Reason[];
  readonly needs: readonly string[];
  readonly ms: number;
  readonly error?: ErrorResult;
}

/** The document on stdout under `--json`. */
export interface ResultDocument {
  readonly schema: 1;
  readonly command: string;
  readonly ok: boolean;
  readonly images: readonly ImageResult[];
  readonly tasks: readonly TaskResult[];
  readonly totals: Readonly<Record<string, number>>;
  readonly ms: number;
}
