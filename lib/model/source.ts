/** Remote content besides base images: what a URL serves, and commits of git repositories. */

import { isDigest } from "./digest.ts";

/** Remote content that goes into an image. */
export interface RemoteSource {
  /** `http`: the body that a URL serves. `git`: the files of a commit. */
  readonly kind: "http" | "git";
  /** Stands for it in keys, reasons and `images.lock`: the URL, of git with `#` and the ref. */
  readonly name: string;
  /** Undefined in a record where it is a secret: `describe` tells it again. */
  readonly url?: string;
  /** The URL holds values that must not be recorded; `name` stands for it. @default false */
  readonly secret?: boolean;
  /** Git: branch, tag or full commit. @default the remote's HEAD */
  readonly ref?: string;
  /** What it must be: a digest, of git a full commit. It is in the options, and nothing is asked. */
  readonly fixed?: SourceIdentity;
  /** Git: a commit that what is found must begin with. */
  readonly expected?: string;
  /** Git: `.git` comes with the files. @default false */
  readonly keepGitDir?: boolean;
  /** Git: submodules are left out. @default false */
  readonly skipSubmodules?: boolean;
}

/** What remote content is at a moment: `sha256:…` of a body, `commit:…` of a repository. */
export type SourceIdentity = `sha256:${string}` | `commit:${string}`;

/** What a source is, and what makes the next check cheap. */
export interface SourceState {
  readonly identity: SourceIdentity;
  /** HTTP: as the server gave it. */
  readonly etag?: string;
  /** HTTP: as the server gave it, where it tells one content from the next. */
  readonly lastModified?: string;
  /** HTTP: bytes of the body. */
  readonly size?: number;
}

const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;

/** Says whether a text is a full commit hash. */
export function isCommit(text: string): boolean {
  return COMMIT.test(text);
}

/** Says whether a value identifies remote content. */
export function isSourceIdentity(value: unknown): value is SourceIdentity {
  return isDigest(value) ||
    (typeof value === "string" && value.startsWith("commit:") && isCommit(value.slice(7)));
}

/** The commit that an identity names. */
export function commitOf(identity: SourceIdentity): string {
  return identity.slice("commit:".length);
}
