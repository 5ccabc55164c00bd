/** Dockerfiles, each with the context and the name that suit it. */

import { type Candidate, nameOf } from "./component.ts";
import type { BuildHint } from "./hints.ts";
import { fileOf, folderOf, joined, type Repository } from "./repository.ts";

/** An image for each Dockerfile, and for each way in which CI or compose builds one. */
export function dockerfileImages(
  repository: Repository,
  hints: readonly BuildHint[],
): readonly Candidate[] {
  const candidates = repository.files.filter((path) => variantOf(path) !== undefined)
    .flatMap((file) => {
      const known = hints.filter((hint) => hint.file === file);
      return known.length === 0
        ? [fromFile(repository, file)]
        : known.map((hint) => fromHint(repository, hint));
    });
  const distinct = new Map(candidates.map((each) => [JSON.stringify(each.options), each]));
  return [...distinct.values()];
}

/** What sets a Dockerfile apart: `static` of `Dockerfile.static`, nothing of `Dockerfile`. */
function variantOf(path: string): string | undefined {
  const file = fileOf(path);
  if (/\.dockerignore$/.test(file)) return undefined;
  const match = /^(?:Docker|Container)file(?:[.-](.+))?$|^(.+)\.(?:docker|container)file$/i.exec(
    file,
  );
  return match === null ? undefined : match[1] ?? match[2] ?? "";
}

function fromFile(repository: Repository, file: string): Candidate {
  const context = contextOf(repository, file);
  return {
    name: fileName(repository, file),
    method: "dockerfile",
    options: optionsOf(file, context),
    source: file,
  };
}

function fromHint(repository: Repository, hint: BuildHint): Candidate {
  const { file, context, target, args } = hint;
  const plain = fileName(repository, file);
  const fallback = target === undefined ? plain : `${plain}-${nameOf(target) ?? "target"}`;
  return {
    name: nameOf(hint.name ?? "") ?? fallback,
    method: "dockerfile",
    options: {
      ...optionsOf(file, context),
      ...(target === undefined ? {} : { target }),
      ...(args === undefined ? {} : { args }),
    },
    source: `${file}, ${hint.source}`,
  };
}

function optionsOf(file: string, context: string): Record<string, string> {
  return {
    ...(context === "." ? {} : { context }),
    ...(file === joined(context, "Dockerfile") ? {} : { file }),
  };
}

/** Named after what it packages, with what sets it apart from its neighbour. */
function fileName(repository: Repository, file: string): string {
  const folder = folderOf(file);
  const variant = nameOf(variantOf(file) ?? "");
  const generic = ["docker", "build", "deploy", "container", "containers", "."];
  if (variant !== undefined && generic.includes(fileOf(folder))) return variant;
  const own = packageName(repository, folder) ??
    nameOf(folder === "." ? repository.title : folder) ?? "image";
  return variant === undefined ? own : `${own}-${variant}`;
}

function packageName({ read }: Repository, folder: string): string | undefined {
  try {
    const { name } = JSON.parse(read(joined(folder, "package.json"))) as { name?: unknown };
    return typeof name === "string" ? nameOf(name) : undefined;
  } catch {
    return undefined;
  }
}

/** The Dockerfile's folder, unless what it copies is only there when seen from the top. */
function contextOf(repository: Repository, file: string): string {
  const folder = folderOf(file);
  if (folder === ".") return folder;
  const sources = copiedPaths(repository.read(file));
  const found = (from: string) =>
    sources.filter((source) => isThere(repository, joined(from, source))).length;
  return found(".") > found(folder) ? "." : folder;
}

function copiedPaths(text: string): string[] {
  return [...text.replace(/\\\r?\n/g, " ").matchAll(/^\s*(?:COPY|ADD)\s+(.*)$/gim)]
    .map(([, rest = ""]) => rest)
    .filter((rest) => !/^(?:--\S+\s+)*--from=/.test(rest) && !rest.includes("<<"))
    .flatMap((rest) => {
      const words = rest.replace(/^(?:--\S+\s+)+/, "").replace(/[[\]",]+/g, " ").trim().split(
        /\s+/,
      );
      return words.slice(0, -1);
    })
    .filter((source) => !/^\w+:\/\//.test(source) && !source.includes("$"))
    .map((source) => source.replace(/[*?[].*$/, "").replace(/^\/+/, ""))
    .filter((source) => joined(".", source) !== ".");
}

function isThere({ files }: Repository, path: string): boolean {
  return files.some((file) =>
    file === path || file.startsWith(`${path}/`) ||
    (path.includes("/") && file.startsWith(path))
  );
}
