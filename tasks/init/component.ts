/** What a repository consists of that can become an image, and how each is best built. */

import { TRUST, type Trust } from "./evidence.ts";

/** The ways, the preferred first. */
export const METHODS = ["nix2container", "rulesImg", "dockerfile"] as const;

/** A way of building an image: the name of its constructor. */
export type Method = typeof METHODS[number];

/** The value of an option. */
export type OptionValue =
  | string
  | readonly string[]
  | Readonly<Record<string, string | { readonly image: string }>>;

/** Something found that builds an image. */
export interface Candidate {
  /** A valid name for images.ts. */
  readonly name: string;
  readonly method: Method;
  /** Options of the recipe. */
  readonly options: Readonly<Record<string, OptionValue>>;
  /** What it was found in, relative to images.ts. */
  readonly source: string;
  /** The folder that sets it apart from another one of the same name. */
  readonly folder: string;
  /** Who builds it so; undefined where nobody does. */
  readonly trust?: Trust | undefined;
  /** References it is published under; parts may be unknown. */
  readonly references: readonly string[];
  /** Other components are published to the same repository, under other tags. @default false */
  readonly isNameShared?: boolean;
  /** What was left out of it. */
  readonly omitted: readonly string[];
  /** Names of other builds of the same file that its contexts are. */
  readonly builds?: Readonly<Record<string, string>>;
  /** What its own file calls it. */
  readonly calls?: readonly string[];
  /** The same component built otherwise. */
  readonly others?: readonly Candidate[];
}

/** A component and the way to build it; other ways that were found are named for people. */
export interface Component extends Candidate {
  readonly alternatives: readonly Candidate[];
  /** Why it cannot be built as it stands: it is written as a comment. */
  readonly fault?: string;
}

/**
 * One component for each name, and for each of several folders with components of one name. What
 * CI builds wins; then a Nix derivation is built by nix2container, what Bazel makes by rules_img,
 * and a Dockerfile is for all else.
 */
export function choose(candidates: readonly Candidate[]): Component[] {
  const groups = [...Map.groupBy(candidates, ({ name }) => name).values()].flatMap(separate);
  const chosen = groups.map((all) => {
    const [best, ...rest] = all.toSorted((a, b) => rank(a) - rank(b));
    const alternatives = [...best!.others ?? [], ...rest.flatMap((it) => [it, ...it.others ?? []])];
    return { ...best!, alternatives };
  });
  return distinctNames(chosen).sort((a, b) =>
    METHODS.indexOf(a.method) - METHODS.indexOf(b.method) || (a.name < b.name ? -1 : 1)
  );
}

/** CI's word first, then the method, then whoever else builds it. */
function rank({ method, trust }: Candidate): number {
  const other = trust === undefined ? TRUST.length : TRUST.indexOf(trust);
  return (trust === "ci" ? 0 : 1000) + METHODS.indexOf(method) * 100 + other;
}

/** Dockerfiles of different folders are different components, and so are Bazel's packages. */
function separate(candidates: readonly Candidate[]): Candidate[][] {
  const of = (
    method: Method,
  ) => [
    ...Map.groupBy(candidates.filter((it) => it.method === method), ({ folder }) => folder)
      .values(),
  ];
  const [nix, bazel, docker] = METHODS.map(of);
  if (bazel!.length <= 1 && docker!.length <= 1) return [[...candidates]];
  return [...nix!, ...bazel!, ...docker!];
}

/** Gives components of one name the names of their folders too. */
function distinctNames(components: readonly Component[]): Component[] {
  const taken = new Set<string>();
  const renamed: Component[] = [];
  for (const all of Map.groupBy(components, ({ name }) => name).values()) {
    if (all.length === 1) {
      taken.add(all[0]!.name);
      renamed.push(all[0]!);
    }
  }
  for (const all of Map.groupBy(components, ({ name }) => name).values()) {
    if (all.length === 1) continue;
    const names = qualified(all);
    for (const [index, component] of all.entries()) {
      let name = names[index]!;
      for (let count = 2; taken.has(name); count++) name = `${names[index]}-${count}`;
      taken.add(name);
      renamed.push({ ...component, name });
    }
  }
  return renamed;
}

/** `shop-api` and `blog-api`: as few folders as tell them apart. */
function qualified(components: readonly Component[]): string[] {
  const paths = components.map(({ name, folder }) => {
    const parts = folder.split("/").filter((part) => part !== "." && !isGenericFolder(part));
    if (nameOf(parts.at(-1) ?? "") === name) parts.pop();
    return parts;
  });
  const deepest = Math.max(...paths.map((parts) => parts.length));
  let names: string[] = [];
  for (let count = 1; count <= Math.max(1, deepest); count++) {
    names = components.map(({ name }, index) =>
      nameOf([...paths[index]!.slice(-count), name].join("-")) ?? name
    );
    if (new Set(names).size === names.length) break;
  }
  return names;
}

const GENERIC = new Set([
  ...["docker", "build", "builds", "deploy", "deployment", "container", "containers", "src"],
  ...["source", "image", "images", "dockerfile", "dockerfiles", "ci", "package", "packaging"],
  ...["ops", "infra", ".docker", ".ci", "."],
]);

/** Tells whether a folder's name says nothing of what is in it. */
export function isGenericFolder(name: string): boolean {
  return GENERIC.has(name.toLowerCase());
}

/** A text as a name: `@acme/Web App` is `web-app`; undefined where nothing is left of it. */
export function nameOf(text: string): string | undefined {
  const words = text.slice(text.lastIndexOf("/") + 1).toLowerCase().replace(/[^a-z0-9._-]/g, "-");
  let name = "";
  for (const char of words) {
    const isSeparator = "._-".includes(char);
    if (!isSeparator || (name !== "" && !"._-".includes(name.at(-1)!))) name += char;
  }
  name = name.replace(/[._-]$/, "");
  return name === "" ? undefined : name;
}

/** `web-image`, `web_image` and `image_web` are about `web`. */
export function withoutImage(name: string): string {
  return name.replace(/[._-]image$|^image[._-]/, "");
}
