/** Names under which images are published, of which parts may be unknown. */

import { isRepository, isTag } from "../../lib/model/reference.ts";
import { isKnown, replaceUnknown, unknownParts } from "./partial.ts";

/** A reference in parts, in lower case. */
export interface ImageName {
  /** `ghcr.io`; undefined where none is written, which is Docker Hub. */
  readonly host?: string;
  /** `acme/web`. */
  readonly path: string;
  /** May hold unknown parts. */
  readonly tag?: string;
}

/** Splits a reference; undefined where its repository is not known. */
export function imageNameOf(reference: string): ImageName | undefined {
  const { repository, tag } = splitReference(reference);
  if (!isKnown(repository) || !/^[\w.:/\[\]-]+$/.test(repository)) return undefined;
  const lower = repository.toLowerCase();
  const slash = lower.indexOf("/");
  const first = slash < 0 ? "" : lower.slice(0, slash);
  const hasHost = first === "localhost" || first.includes(".") || first.includes(":");
  const path = hasHost ? lower.slice(slash + 1) : lower;
  if (!isRepository(path)) return undefined;
  return {
    ...(hasHost ? { host: first.replace(/^(?:index|registry-1)\./, "") } : {}),
    path,
    ...(tag === undefined ? {} : { tag }),
  };
}

/** The last part of a reference's repository, where that much is known. */
export function lastPartOf(reference: string): string | undefined {
  const last = splitReference(reference).repository.split("/").at(-1) ?? "";
  return last !== "" && isKnown(last) && !/[${}]/.test(last) ? last : undefined;
}

/** A reference without its tag and digest, as it is written. */
export function repositoryOf(reference: string): string {
  return splitReference(reference).repository.toLowerCase();
}

function splitReference(reference: string): { repository: string; tag?: string } {
  const text = reference.trim().replace(/^docker:\/\//, "");
  const digest = text.indexOf("@");
  const name = digest < 0 ? text : text.slice(0, digest);
  const marks = name.split("\0");
  // A colon in an unknown expression is none of the reference's.
  const visible = marks.map((part, index) => index % 2 === 1 ? "_".repeat(part.length) : part)
    .join("_");
  const colon = visible.lastIndexOf(":");
  if (colon < 0 || visible.indexOf("/", colon) >= 0) return { repository: name };
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) };
}

/** What stands for expressions of CI in `tags`. */
const PLACEHOLDERS: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:github\.sha|GITHUB_SHA|CI_COMMIT_(?:SHORT_)?SHA|git rev-parse (?:--short )?HEAD)$/,
    "{revision}",
  ],
  [
    /^(?:github\.ref_name|github\.head_ref|GITHUB_REF_NAME|CI_COMMIT_(?:REF_(?:SLUG|NAME)|BRANCH))$/,
    "{branch}",
  ],
  [/^(?:github\.event\.release\.tag_name|CI_COMMIT_TAG)$/, "{git-tag}"],
];

/** Tags as images.ts writes them, and the expressions that it cannot. */
export function tagsOf(
  references: readonly string[],
): { readonly tags: string[]; readonly omitted: string[] } {
  const tags = new Set<string>();
  const omitted = new Set<string>();
  for (const reference of references) {
    const { tag = "latest" } = splitReference(reference);
    const filled = replaceUnknown(
      tag,
      (expression) =>
        PLACEHOLDERS.find(([pattern]) => pattern.test(expression))?.[1] ?? `\0${expression}\0`,
    );
    if (!isKnown(filled)) unknownParts(filled).forEach((each) => omitted.add(each));
    else if (isTag(filled.replace(/\{(?:revision|branch|git-tag)\}/g, "x"))) tags.add(filled);
  }
  return { tags: [...tags], omitted: [...omitted] };
}
