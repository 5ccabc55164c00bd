/** What a repository consists of that can become an image, and how each is best built. */

/** The three ways, the preferred first. */
export const METHODS = ["nix2container", "rulesImg", "dockerfile"] as const;

/** A way of building an image: the name of its constructor. */
export type Method = typeof METHODS[number];

/** Something found that builds an image. */
export interface Candidate {
  /** A valid name for images.ts. */
  readonly name: string;
  readonly method: Method;
  /** Options of the recipe. */
  readonly options: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  /** What it was found in, relative to images.ts. */
  readonly source: string;
}

/** A component and the way to build it; other ways that were found are named for people. */
export interface Component extends Candidate {
  readonly alternatives: readonly Candidate[];
}

/**
 * One component for each name. A Nix derivation is built by nix2container; what Bazel makes by
 * rules_img; a Dockerfile is for all else.
 */
export function choose(candidates: readonly Candidate[]): Component[] {
  const byName = Map.groupBy(candidates, ({ name }) => name);
  return [...byName].map(([, all]) => {
    const [best, ...alternatives] = all.toSorted((a, b) =>
      METHODS.indexOf(a.method) - METHODS.indexOf(b.method)
    );
    return { ...best!, alternatives };
  }).sort((a, b) =>
    METHODS.indexOf(a.method) - METHODS.indexOf(b.method) || (a.name < b.name ? -1 : 1)
  );
}

/** A text as a name: `@acme/Web App` is `web-app`; undefined where nothing is left of it. */
export function nameOf(text: string): string | undefined {
  const name = text.slice(text.lastIndexOf("/") + 1).toLowerCase()
    .replace(/[^a-z0-9._-]+/g, "-")
    .replace(/([._-])[._-]+/g, "$1")
    .replace(/^[._-]+|[._-]+$/g, "");
  return name === "" ? undefined : name;
}

/** `web-image`, `web_image` and `image_web` are about `web`. */
export function withoutImage(name: string): string {
  return name.replace(/[._-]image$|^image[._-]/, "");
}
