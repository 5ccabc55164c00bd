/** Dockerfiles, each with the context and the name that suit it. */

import { Fault } from "../../lib/model/errors.ts";
import { parseScript, type Script } from "../../plugins/dockerfile/syntax/script.ts";
import { type Candidate, isGenericFolder, nameOf, type OptionValue } from "./component.ts";
import { type BuildEvidence, TRUST } from "./evidence.ts";
import { lastPartOf, repositoryOf, tagsOf } from "./references.ts";
import { fileOf, folderOf, joined, type Repository } from "./repository.ts";

/** What was found, and what people should know of it. */
export interface DockerFindings {
  readonly candidates: readonly Candidate[];
  readonly notes: readonly string[];
  /** The Dockerfiles by their paths. */
  readonly scripts: ReadonlyMap<string, Script>;
}

/** An image for each Dockerfile, and for each way in which CI or another file builds one. */
export function dockerfileImages(
  repository: Repository,
  builds: readonly BuildEvidence[],
): DockerFindings {
  const notes: string[] = [];
  const placed = withoutSharedNames(builds.map((build) => placedIn(repository, build)));
  const byFile = Map.groupBy(placed, ({ file }) => file);
  const isNamed = (path: string) => byFile.has(path);
  const scripts = new Map<string, Script>();
  const others: string[] = [];
  for (const path of [...repository.files, ...repository.others]) {
    if (variantOf(path) === undefined && !isNamed(path)) continue;
    const isForeign = repository.others.includes(path);
    const isPublished = byFile.get(path)?.some(({ trust, pushes }) => trust === "ci" && pushes);
    if (isForeign && !isPublished) {
      if (!/(?:^|\/)(?:node_modules|\.git|\.images)\//.test(path)) others.push(path);
      continue;
    }
    const script = scriptOf(repository, path, notes, isNamed(path));
    if (script !== undefined) scripts.set(path, script);
  }
  if (others.length > 0) notes.push(leftOut(others));
  for (const [file, all] of byFile) {
    if (scripts.has(file) || others.includes(file)) continue;
    const sources = [...new Set(all.map(({ source }) => source))].join(", ");
    notes.push(`${sources}: builds ${file}, which is no Dockerfile of this repository`);
  }
  const candidates = [...scripts].flatMap(([file, script]) => {
    const known = byFile.get(file) ?? [];
    return known.length === 0
      ? [fromFile(repository, file, script)]
      : fromEvidence(repository, file, script, known);
  });
  return { candidates, notes: [...new Set(notes)], scripts };
}

/** Most paths that one note names. */
const MOST_PATHS = 12;

function leftOut(paths: readonly string[]): string {
  const named = paths.slice(0, MOST_PATHS).join(", ");
  const more = paths.length > MOST_PATHS ? ` and ${paths.length - MOST_PATHS} more` : "";
  return `left out ${named}${more}: they are of tests, examples or others`;
}

/**
 * A repository that several Dockerfiles are published to, told apart by their tags, names none of
 * them.
 */
function withoutSharedNames(builds: readonly BuildEvidence[]): BuildEvidence[] {
  const users = new Map<string, Set<string>>();
  for (const { references, file } of builds) {
    for (const reference of references) {
      const repository = repositoryOf(reference);
      users.set(repository, (users.get(repository) ?? new Set()).add(file));
    }
  }
  const isShared = (reference: string) => users.get(repositoryOf(reference))!.size > 1;
  return builds.map((build) =>
    build.references.some(isShared) ? { ...build, isNameShared: true } : build
  );
}

/** A build at the place of those it may mean where a file is. */
function placedIn({ files, others }: Repository, build: BuildEvidence): BuildEvidence {
  const isThere = (path: string) => files.includes(path) || others.includes(path);
  const container = joined(folderOf(build.file), "Containerfile");
  const choices = [build.file, build.otherFile, container, joined(build.file, "Dockerfile")];
  return {
    ...build,
    file: choices.find((path) => path !== undefined && isThere(path)) ?? build.file,
  };
}

/** Endings of files that are about Dockerfiles, or of programs that handle them. */
const SOURCES = new Set([
  ...["go", "ts", "tsx", "js", "jsx", "mjs", "cjs", "py", "rs", "rb", "java", "kt", "cs", "c", "h"],
  ...[
    "cc",
    "cpp",
    "php",
    "lua",
    "vim",
    "swift",
    "scala",
    "sh",
    "md",
    "txt",
    "html",
    "json",
    "yaml",
  ],
  ...["yml", "toml", "svg", "png", "snap", "lock", "patch", "bak", "orig", "dockerignore"],
]);

const TEMPLATES = new Set([
  "j2",
  "tmpl",
  "tpl",
  "template",
  "erb",
  "in",
  "mustache",
  "hbs",
  "gotmpl",
]);

/** What sets a Dockerfile apart: `static` of `Dockerfile.static`, nothing of `Dockerfile`. */
function variantOf(path: string): string | undefined {
  const file = fileOf(path);
  const lower = file.toLowerCase();
  if (lower.endsWith(".dockerignore") || lower.endsWith(".containerignore")) return undefined;
  for (const word of ["dockerfile", "containerfile"]) {
    if (lower === word) return "";
    if (lower.endsWith(`.${word}`)) return file.slice(0, -word.length - 1);
    const rest = lower.startsWith(word) ? file.slice(word.length) : "";
    if (rest.length > 1 && (rest[0] === "." || rest[0] === "-")) return rest.slice(1);
  }
  return undefined;
}

function scriptOf(
  { read }: Repository,
  path: string,
  notes: string[],
  isNamed: boolean,
): Script | undefined {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  if (!isNamed && TEMPLATES.has(ending)) {
    notes.push(`${path}: it is a template, and was left out`);
    return undefined;
  }
  try {
    return parseScript(read(path), path);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (isNamed || !SOURCES.has(ending)) {
      notes.push(`${path}: it was left out, as it cannot be read: ${error.message}`);
    }
    return undefined;
  }
}

function fromFile(repository: Repository, file: string, script: Script): Candidate {
  return {
    name: fileName(repository, file),
    method: "dockerfile",
    options: placeOptions(file, contextOf(repository, file, script)),
    source: file,
    folder: folderOf(file),
    references: [],
    omitted: [],
  };
}

/** Builds of one stage are one component, unless those who publish it give it several names. */
function fromEvidence(
  repository: Repository,
  file: string,
  script: Script,
  builds: readonly BuildEvidence[],
): Candidate[] {
  return [...Map.groupBy(builds, ({ target }) => target).values()].flatMap((all) => {
    const trust = TRUST.find((each) => all.some((build) => build.trust === each))!;
    const candidate = (build: BuildEvidence) => fromBuild(repository, file, script, build);
    const best = Map.groupBy(
      united(all.filter((build) => build.trust === trust))
        .map((build) => candidate(withKnownArgs(build, all))),
      ({ name }) => name,
    );
    const rest = united(all.filter((build) => build.trust !== trust)).map(candidate);
    const known = new Set([...best.values()].flat().map(({ options }) => JSON.stringify(options)));
    const chosen = [...best.values()].map(([first, ...others]) => ({ ...first!, others }));
    for (const other of rest) {
      const home = chosen.find(({ name }) => name === other.name) ?? chosen[0]!;
      home.calls = [...home.calls ?? [], ...other.calls ?? []];
      home.references = [...home.references, ...other.references];
      if (!known.has(JSON.stringify(other.options))) home.others.push(other);
    }
    return chosen;
  });
}

/** Arguments whose values only CI knows have those that another file gives them. */
function withKnownArgs(build: BuildEvidence, all: readonly BuildEvidence[]): BuildEvidence {
  const args = { ...build.args };
  const omitted = build.omitted.map((text) => {
    const name = text.startsWith("args.") ? text.slice("args.".length, text.indexOf(":")) : "";
    const donor = name === "" ? undefined : all.find((other) => other.args[name] !== undefined);
    if (donor === undefined) return text;
    args[name] = donor.args[name]!;
    return `${text}; the value is that of ${donor.source}`;
  });
  return { ...build, args, omitted };
}

/** Builds that differ only in where they run and go, as one; those that publish come first. */
function united(builds: readonly BuildEvidence[]): BuildEvidence[] {
  const sorted = builds.toSorted((a, b) => Number(b.pushes) - Number(a.pushes));
  const made: BuildEvidence[] = [];
  for (const build of sorted) {
    const at = made.findIndex((other) => isSameBuild(other, build));
    if (at < 0) made.push(build);
    else made[at] = merged(made[at]!, build);
  }
  return made;
}

function isSameBuild(one: BuildEvidence, other: BuildEvidence): boolean {
  const names = [one, other].map(ownName);
  const isOneName = names[0] === names[1] || names.includes(undefined);
  const bits = ({ context, args, contexts, network }: BuildEvidence) =>
    JSON.stringify([
      context,
      Object.entries(args).sort(),
      Object.entries(contexts).sort(),
      network,
    ]);
  return isOneName && bits(one) === bits(other);
}

function merged(one: BuildEvidence, other: BuildEvidence): BuildEvidence {
  const both = (key: "hostEnv" | "platforms" | "secrets" | "ssh" | "omitted" | "references") => [
    ...new Set([...one[key], ...other[key]]),
  ];
  const name = one.name ?? other.name;
  return {
    ...one,
    ...(name === undefined ? {} : { name }),
    hostEnv: both("hostEnv"),
    platforms: both("platforms"),
    secrets: both("secrets"),
    ssh: both("ssh"),
    omitted: both("omitted"),
    references: both("references"),
    cacheFrom: one.cacheFrom.length > 0 ? one.cacheFrom : other.cacheFrom,
    cacheTo: one.cacheTo.length > 0 ? one.cacheTo : other.cacheTo,
    labels: { ...other.labels, ...one.labels },
    annotations: { ...other.annotations, ...one.annotations },
    pushes: one.pushes || other.pushes,
  };
}

/** The name of what a build makes, as its reference or its file has it. */
function ownName({ references, name, isNameShared }: BuildEvidence): string | undefined {
  for (const reference of isNameShared ? [] : references) {
    const found = nameOf(lastPartOf(reference) ?? "");
    if (found !== undefined) return found;
  }
  return nameOf(name ?? "");
}

function fromBuild(
  repository: Repository,
  file: string,
  script: Script,
  build: BuildEvidence,
): Candidate {
  const { target } = build;
  const plain = fileName(repository, file);
  const fallback = target === undefined ? plain : `${plain}-${nameOf(target) ?? "target"}`;
  const { tags, omitted } = isPublisher(build) ? tagsOf(build.references) : tagsOf([]);
  const isPlain = tags.length === 0 || (tags.length === 1 && tags[0] === "latest");
  const builds = Object.entries(build.contexts).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [] : [[name, value.build]]
  );
  const folders = Object.entries(build.contexts).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : []
  );
  return {
    name: ownName(build) ?? fallback,
    method: "dockerfile",
    options: filled({
      ...placeOptions(file, build.context ?? contextOf(repository, file, script)),
      target,
      args: build.args,
      contexts: Object.fromEntries(folders),
      hostEnv: build.hostEnv,
      platforms: build.platforms,
      secrets: build.secrets,
      ssh: build.ssh,
      network: build.network,
      cacheFrom: build.cacheFrom,
      cacheTo: build.cacheTo,
      tags: isPlain ? [] : tags,
      labels: build.labels,
      annotations: build.annotations,
    }),
    source: `${file}, ${build.source}`,
    folder: folderOf(file),
    ...(build.isNameShared ? { isNameShared: true } : {}),
    trust: build.trust,
    references: build.references,
    omitted: [
      ...build.omitted,
      ...omitted.map((each) => `tags: ${each} is only known where it is built`),
    ],
    builds: Object.fromEntries(builds),
    calls: build.name === undefined ? [] : [build.name],
  };
}

/** Tags of what only runs on a developer's machine are not for a registry. */
function isPublisher({ trust }: BuildEvidence): boolean {
  return trust === "ci" || trust === "bake";
}

/** Options that have a value. */
function filled(
  options: Readonly<Record<string, OptionValue | undefined>>,
): Record<string, OptionValue> {
  return Object.fromEntries(
    Object.entries(options).filter((entry): entry is [string, OptionValue] => {
      const [, value] = entry;
      return value !== undefined && (typeof value === "string" || Object.keys(value).length > 0);
    }),
  );
}

function placeOptions(file: string, context: string): Record<string, string> {
  return {
    ...(context === "." ? {} : { context }),
    ...(file === joined(context, "Dockerfile") ? {} : { file }),
  };
}

/** Named after what it packages, with what sets it apart from its neighbour. */
function fileName(repository: Repository, file: string): string {
  const folder = folderOf(file);
  const variant = nameOf(variantOf(file) ?? "");
  const home = componentFolder(folder);
  if (variant !== undefined && home === ".") return variant;
  const own = packageName(repository, folder) ?? packageName(repository, home) ??
    nameOf(home === "." ? repository.title : home) ?? "image";
  return variant === undefined ? own : `${own}-${variant}`;
}

/** The folder without inner ones that every component has, such as `src` and `docker`. */
function componentFolder(folder: string): string {
  let home = folder;
  while (home !== "." && isGenericFolder(fileOf(home))) home = folderOf(home);
  return home;
}

function packageName({ read, files }: Repository, folder: string): string | undefined {
  const path = joined(folder, "package.json");
  if (!files.includes(path)) return undefined;
  try {
    const { name } = JSON.parse(read(path)) as { name?: unknown };
    return typeof name === "string" ? nameOf(name) : undefined;
  } catch {
    return undefined;
  }
}

/** The Dockerfile's folder, unless what it copies is only there when seen from the top. */
function contextOf(repository: Repository, file: string, script: Script): string {
  const sources = copiedPaths(script);
  const found = (from: string) =>
    sources.filter((source) => isThere(repository, joined(from, source))).length;
  let best = folderOf(file);
  for (let folder = best; folder !== "."; folder = folderOf(folder)) {
    const above = folderOf(folder);
    if (found(above) > found(best)) best = above;
  }
  return best;
}

function copiedPaths({ stages }: Script): string[] {
  return stages.flatMap(({ instructions }) =>
    instructions.filter(({ keyword, options }) =>
      (keyword === "COPY" || keyword === "ADD") && options.from === undefined
    ).flatMap(({ args }) => args.slice(0, -1))
  )
    .filter((source) => !/^\w+:\/\/|^git@|^<</.test(source) && !source.includes("$"))
    .map((source) => source.replace(/[*?[].*$/s, "").replace(/^\/+/, ""))
    .filter((source) => joined(".", source) !== ".");
}

function isThere({ files }: Repository, path: string): boolean {
  return files.some((file) =>
    file === path || file.startsWith(`${path}/`) ||
    (path.includes("/") && file.startsWith(path))
  );
}
