/**
 * Labels: the names of Bazel's targets and files.
 *
 * @see https://bazel.build/concepts/labels
 */

/** A label's parts. */
export interface Label {
  /** Name of the repository; empty for the workspace's own. */
  readonly repository: string;
  /** Path of the package below its repository; may be empty. */
  readonly package: string;
  /** Path below the package. */
  readonly name: string;
}

const PATTERN = /^(?:@{1,2}([\w.+~-]*))?\/\/([^:]*)(?::(.+))?$/;

/**
 * Reads a label as Bazel prints it, or as a file of a package writes it; undefined where the text is
 * none. `@//a:b`, `@@//a:b` and `//a:b` are the same.
 *
 * @param from where it stands: `:b` is in that package.
 */
export function parseLabel(text: string, from?: Label): Label | undefined {
  if (text.startsWith(":") && from !== undefined) return { ...from, name: text.slice(1) };
  const match = PATTERN.exec(text);
  if (match === null) return undefined;
  const [, repository, folder = "", name] = match;
  const short = folder.slice(folder.lastIndexOf("/") + 1);
  const inRepository = repository ?? (text.startsWith("@") ? "" : from?.repository ?? "");
  if ((name ?? short) === "") return undefined;
  return { repository: inRepository, package: folder, name: name ?? short };
}

/** Writes a label in full. */
export function formatLabel({ repository, package: folder, name }: Label): string {
  return `${repository === "" ? "" : `@${repository}`}//${folder}:${name}`;
}

/** The one way of writing a label that Bazel printed; what is no label stays as it is. */
export function canonicalLabel(text: string): string {
  const label = parseLabel(text);
  return label === undefined ? text : formatLabel(label);
}

/** A file's path below its repository. */
export function pathOf({ package: folder, name }: Label): string {
  return folder === "" ? name : `${folder}/${name}`;
}

/**
 * Reads the label of a target in a recipe, relative to the workspace: `app:image` is `//app:image`.
 * Undefined where the text is no label, or stands for several targets.
 */
export function parseTarget(text: string): Label | undefined {
  if (/\.\.\.|[*\s]|^-/.test(text)) return undefined;
  const full = /^[@/:]/.test(text) ? text : `//${text}`;
  const label = parseLabel(full, { repository: "", package: "", name: "" });
  return label?.name === "all" || label?.name === "all-targets" ? undefined : label;
}

/**
 * Says of a target pattern whether a label of the main repository is meant by it.
 *
 * @param isRule what is no rule is only meant by `:*` and by its name.
 */
export function matchesLabel(label: string, isRule: boolean): (pattern: string) => boolean {
  const target = parseLabel(label);
  return (pattern) => {
    const [, below, kinds = "all"] = /^@{0,2}\/\/(.*?)\/?\.\.\.(?::(.*))?$/.exec(pattern) ?? [];
    const wanted = below === undefined ? parseLabel(pattern) : undefined;
    const wild = below === undefined ? wanted?.name ?? "" : kinds;
    if (!["all", "*", "all-targets"].includes(wild)) return canonicalLabel(pattern) === label;
    if (target?.repository !== "" || (wild === "all" && !isRule)) return false;
    return below === undefined ? target.package === wanted?.package : isIn(target.package, below);
  };
}

function isIn(folder: string, top: string): boolean {
  return top === "" || folder === top || folder.startsWith(`${top}/`);
}
