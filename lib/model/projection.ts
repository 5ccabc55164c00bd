/** Parts of files that stand for the whole files in a key. */

/** Some fields of a JSON file. */
export interface JsonProjection {
  /** Tells it from others. */
  readonly projection: "json";
  /** The file, relative to images.ts. */
  readonly path: string;
  /** Names of the fields of the outermost object that count; one that is missing counts as null. */
  readonly fields: readonly string[];
}

/** The part of a lock file that one member of a workspace can see. */
export interface LockfileProjection {
  /** Tells it from others. */
  readonly projection: "lockfile";
  /** The file, relative to images.ts. */
  readonly path: string;
  /** The member: its folder relative to the lock file's, or for cargo also the package's name. */
  readonly workspace: string;
}

/** A part of a file that stands for the whole in a key. */
export type Projection = JsonProjection | LockfileProjection;

/** A format of lock files. */
export type LockfileFormat = "pnpm" | "npm" | "cargo";

/** Names of the lock files that can be projected. */
export const LOCKFILES: ReadonlyMap<string, LockfileFormat> = new Map<string, LockfileFormat>([
  ["pnpm-lock.yaml", "pnpm"],
  ["package-lock.json", "npm"],
  ["npm-shrinkwrap.json", "npm"],
  ["Cargo.lock", "cargo"],
]);

/** The format of a lock file by its name; undefined where it cannot be projected. */
export function lockfileFormat(path: string): LockfileFormat | undefined {
  return LOCKFILES.get(path.slice(path.lastIndexOf("/") + 1));
}

/**
 * The manifest that tells the name by which a Cargo.lock knows a member, relative to images.ts;
 * undefined where the projection needs none.
 */
export function manifestOf(projection: Projection): string | undefined {
  if (projection.projection !== "lockfile") return undefined;
  const { path, workspace } = projection;
  if (lockfileFormat(path) !== "cargo" || !namesFolder(workspace)) return undefined;
  const folder = workspace === "." ? "" : `${workspace}/`;
  return `${path.slice(0, path.lastIndexOf("/") + 1)}${folder}Cargo.toml`;
}

/** Says whether a member of a cargo workspace is given by its folder; packages have no such names. */
export function namesFolder(workspace: string): boolean {
  return workspace === "." || (typeof workspace === "string" && workspace.includes("/"));
}

/** One of the parts a projection consists of, with a short digest of what it says. */
export interface ProjectedPart {
  readonly type: "field" | "setting" | "member" | "package";
  readonly name: string;
  /** Of a package, where it has one. */
  readonly version?: string;
  /** Differs where what it says differs. */
  readonly digest: string;
}
