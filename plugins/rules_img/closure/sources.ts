/** From labels to the files on disk that a target is made from. */

import { resolve } from "@std/path";
import { linkTarget, realPath } from "../../../lib/files/way.ts";
import { formatLabel, type Label, parseLabel, pathOf } from "../bazel/label.ts";
import type { Queried } from "../bazel/query.ts";
import { type Closure, packagesOf } from "./closure.ts";
import { loadsOf, stringsOf } from "./loads.ts";
import { isBelow, isFile, isLink, readIfThere } from "./reading.ts";
import { BUILD_FILES, isEdited, type Place, placeOf } from "./repositories.ts";
import type { WorkspaceFiles } from "./workspace_files.ts";

/** Where a closure's files are. */
export interface Sources {
  /** Absolute paths of files, and of folders that are taken whole. */
  readonly files: ReadonlySet<string>;
  /** Absolute paths of the folders of packages whose files may be edited. */
  readonly packages: ReadonlySet<string>;
  /** Absolute paths of its BUILD files and of all that they load. */
  readonly loaded: ReadonlySet<string>;
  /** Labels of the workspace that transitions may read, set, or set a setting to. */
  readonly settings: ReadonlySet<string>;
}

/** A label that is not a text to be filled in. */
const PLAIN = /^\/\/[\w./+=,@~-]*:[\w./+=,@~-]+$/;

/** What a Starlark file names. */
interface Named {
  readonly loads: readonly Label[];
  /** Labels of the workspace, where it has a transition. */
  readonly settings: readonly string[];
}

/** What a transition reads and sets are strings, which no edge of a query shows. */
const TRANSITION = /\btransition\s*\(/;

/** Finds the files of closures in one workspace. */
export class SourceFinder {
  readonly #workspace: string;
  readonly #queried: Queried;
  /** Repository → where its files are. */
  readonly #places = new Map<string, Place>();
  readonly #named = new Map<string, Named>();

  constructor(workspace: string, queried: Queried, { ownNames }: WorkspaceFiles) {
    this.#workspace = workspace;
    this.#queried = queried;
    for (const name of ownNames) this.#places.set(name, { seen: workspace, edited: workspace });
  }

  /** The files of a closure; those of repositories that are pinned elsewhere are left out. */
  find(closure: Closure): Sources {
    const files = new Set<string>();
    for (const text of closure.sources) {
      const label = parseLabel(text);
      if (label !== undefined) this.#add(files, label, this.#placeOf(label));
    }
    const packages = new Set<string>();
    const waiting: Label[] = [];
    for (const text of packagesOf(closure)) {
      const label = parseLabel(`${text}:BUILD`);
      const place = label && this.#placeOf(label, closure);
      if (label === undefined || place === undefined) continue;
      const below = (folder: string) =>
        label.package === "" ? folder : `${folder}/${label.package}`;
      if (place.edited !== undefined) packages.add(below(place.edited));
      const name = BUILD_FILES.find((each) => isFile(`${below(place.seen)}/${each}`));
      if (name !== undefined) waiting.push({ ...label, name });
    }
    return { files, packages, ...this.#follow(waiting, files) };
  }

  /** Says whether a label of the workspace's own is of a package that is there. */
  isPackage(text: string): boolean {
    const folder = `${this.#workspace}/${parseLabel(text)?.package ?? ""}`;
    return PLAIN.test(text) && BUILD_FILES.some((each) => isFile(`${folder}/${each}`));
  }

  /** Adds these Starlark files and all they load; others' files may load our own. */
  #follow(
    waiting: readonly Label[],
    files: Set<string>,
  ): Pick<Sources, "loaded" | "settings"> {
    const seen = new Set<string>();
    const settings = new Set<string>();
    const open = [...waiting];
    for (const label of open) {
      const place = this.#places.get(label.repository);
      if (place === undefined) continue;
      const path = `${place.seen}/${pathOf(label)}`;
      if (seen.has(path)) continue;
      seen.add(path);
      this.#add(files, label, place);
      const named = this.#read(path, label);
      open.push(...named.loads);
      if (place.edited !== undefined) { for (const each of named.settings) settings.add(each); }
    }
    return { loaded: seen, settings };
  }

  /** Reads a Starlark file, once for all that load it. */
  #read(path: string, label: Label): Named {
    const known = this.#named.get(path);
    if (known !== undefined) return known;
    const text = readIfThere(path);
    const strings = TRANSITION.test(text) ? stringsOf(text) : [];
    const settings = strings.flatMap((each) => parseLabel(each, label) ?? [])
      .filter(({ repository }) => this.#places.get(repository)?.edited === this.#workspace)
      .map((each) => formatLabel({ ...each, repository: "" }));
    const named = { loads: loadsOf(text, label), settings };
    this.#named.set(path, named);
    return named;
  }

  /** Adds a file if it may be edited; one of a repository may be a link into the sources. */
  #add(files: Set<string>, label: Label, place: Place | undefined): void {
    if (place === undefined) return;
    const path = `${place.seen}/${pathOf(label)}`;
    if (place.seen === place.edited) return addWithLinks(files, path, place.seen);
    const real = realPath(path);
    if (real !== undefined && isEdited(real, place.seen, this.#workspace)) files.add(real);
  }

  #placeOf(label: Label, closure?: Closure): Place | undefined {
    const { repository } = label;
    const known = this.#places.get(repository);
    if (known !== undefined) return known;
    for (const text of closure?.labels ?? this.#queried.keys()) {
      if (parseLabel(text)?.repository !== repository) continue;
      const folder = repositoryFolder(this.#queried, text);
      if (folder === undefined) continue;
      const place = placeOf(folder, this.#workspace);
      this.#places.set(repository, place);
      return place;
    }
    return undefined;
  }
}

/**
 * Where Bazel has put a repository, told by the place of one of its targets: a line of a BUILD file
 * or, since Bazel 6, the source file itself.
 */
export function repositoryFolder(queried: Queried, text: string): string | undefined {
  const label = parseLabel(text);
  const { location } = queried.get(text) ?? {};
  if (label === undefined || location === undefined) return undefined;
  const places = [label.name, ...BUILD_FILES].map((name) => `/${pathOf({ ...label, name })}`);
  const place = places.find((each) => location.endsWith(each));
  return place === undefined ? undefined : location.slice(0, -place.length);
}

/**
 * Adds a file, and where links lead to it, each link and the file at their end.
 *
 * @param root absolute path of the folder below which links count.
 */
export function addWithLinks(files: Set<string>, path: string, root: string): void {
  const real = realPath(path);
  if (real === undefined || real === path) {
    files.add(path);
    return;
  }
  files.add(real);
  for (let at = path.indexOf("/", root.length + 1);; at = path.indexOf("/", at + 1)) {
    const part = at < 0 ? path : path.slice(0, at);
    if (isLink(part)) {
      files.add(part);
      // A link may lead to another: where that leads to may change as well.
      const next = resolve(part, "..", linkTarget(part) ?? "") + path.slice(part.length);
      if (isBelow(next, root)) addWithLinks(files, next, root);
      return;
    }
    if (at < 0) break;
  }
  files.add(path);
}
