/** How files of a repository describe builds of Dockerfiles. */

import { parsePlatform } from "../../lib/model/platform.ts";
import { isKnown, unknownParts } from "./partial.ts";
import { joined } from "./repository.ts";
import { splitAt } from "./shell.ts";

/** Who describes a build, the most trusted first. */
export const TRUST = ["ci", "bake", "skaffold", "compose", "script"] as const;

/** How far a description is trusted to be the one that makes what is published. */
export type Trust = typeof TRUST[number];

/** The folder that CI checks a repository out to, where a variable names it. */
export const CHECKOUT = "/[checkout]";

/** A build as its file writes it; parts may be unknown. */
export interface WrittenBuild {
  /** The file that describes it. */
  readonly source: string;
  readonly trust: Trust;
  /** The folder that context and file are relative to. @default "." */
  readonly folder?: string | undefined;
  /** The Dockerfile is relative to the context. @default false */
  readonly isFileInContext?: boolean;
  /** What the file calls it, where no reference does. */
  readonly name?: string | undefined;
  readonly context?: string | undefined;
  readonly file?: string | undefined;
  readonly target?: string | undefined;
  readonly network?: string | undefined;
  /** `NAME=value`, or `NAME` for a value of the environment. */
  readonly args?: readonly string[];
  readonly platforms?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ssh?: readonly string[];
  readonly cacheFrom?: readonly string[];
  readonly cacheTo?: readonly string[];
  /** `NAME=folder`. */
  readonly contexts?: readonly string[];
  /** `NAME=value`. */
  readonly labels?: readonly string[];
  readonly annotations?: readonly string[];
  /** What the image is tagged. */
  readonly references?: readonly string[];
  /** It is uploaded there. @default false */
  readonly pushes?: boolean;
  /** Options that no recipe has. */
  readonly unsupported?: readonly string[];
}

/** A named context: a folder or address, or what another build of the same file makes. */
export type ContextSource = string | { readonly build: string };

/** A build that is understood: only known values, and what had to be left out of it. */
export interface BuildEvidence {
  readonly source: string;
  readonly trust: Trust;
  readonly name?: string;
  /** Relative to the repository. */
  readonly file: string;
  /** Where the Dockerfile may be instead: kaniko looks in two places. */
  readonly otherFile?: string;
  /** Undefined where only CI knows it. */
  readonly context?: string;
  readonly target?: string;
  readonly network?: string;
  readonly args: Readonly<Record<string, string>>;
  readonly hostEnv: readonly string[];
  readonly platforms: readonly string[];
  readonly secrets: readonly string[];
  readonly ssh: readonly string[];
  readonly cacheFrom: readonly string[];
  readonly cacheTo: readonly string[];
  readonly contexts: Readonly<Record<string, ContextSource>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** May hold unknown parts. */
  readonly references: readonly string[];
  readonly pushes: boolean;
  /** Other Dockerfiles are published under its references too. @default false */
  readonly isNameShared?: boolean;
  /** What was left out, as `option: reason`. */
  readonly omitted: readonly string[];
}

/** Understands a written build; a text says why it cannot be. */
export function readBuild(written: WrittenBuild): BuildEvidence | string {
  const { source, trust, folder = ".", name } = written;
  const omitted = (written.unsupported ?? []).map((option) => `${option}: no recipe has it`);
  const leftOut = (option: string, text: string) =>
    omitted.push(`${option}: ${unknownParts(text).join(", ")} is only known where it is built`);
  const known = (option: string, text: string | undefined): string | undefined => {
    if (text === undefined || text.trim() === "") return undefined;
    if (isKnown(text)) return text.trim();
    leftOut(option, text);
    return undefined;
  };
  const list = (
    option: string,
    texts: readonly string[] = [],
  ) => [...new Set(texts.flatMap((text) => known(option, text) ?? []))];

  const place = placeOf(written, folder);
  if (typeof place === "string") return place;
  if (place.context === undefined) leftOut("context", written.context ?? "");
  const pairs = (option: string, texts: readonly string[] = []) =>
    Object.fromEntries(
      list(option, texts).filter((text) => text.includes("=")).map((text) => splitAt(text, "=")),
    );
  const target = known("target", written.target);
  const network = known("network", written.network);
  const args: Record<string, string> = {};
  const hostEnv: string[] = [];
  for (const text of written.args ?? []) {
    const [key, value] = splitAt(text, "=");
    if (!isKnown(key)) leftOut("args", key);
    else if (!text.includes("=")) hostEnv.push(key.trim());
    else if (isKnown(value)) args[key.trim()] = value;
    else leftOut(`args.${key.trim()}`, value);
  }
  const secrets = list("secrets", written.secrets).map((text) => relativeSecret(text, folder));
  return {
    source,
    trust,
    ...place,
    ...(name === undefined || !isKnown(name) ? {} : { name }),
    ...(target === undefined ? {} : { target }),
    ...(network === undefined ? {} : { network }),
    args,
    hostEnv: [...new Set(hostEnv)],
    platforms: list("platforms", written.platforms).filter((platform) => {
      const fault = platformFault(platform);
      if (fault !== undefined) omitted.push(`platforms: ${platform} ${fault}`);
      return fault === undefined;
    }),
    secrets,
    ssh: list("ssh", written.ssh?.map((text) => isKnown(text) ? text : splitAt(text, "=")[0])),
    cacheFrom: list("cacheFrom", written.cacheFrom),
    cacheTo: list("cacheTo", written.cacheTo),
    contexts: contextsOf(pairs("contexts", written.contexts), folder),
    labels: pairs("labels", written.labels),
    annotations: pairs("annotations", written.annotations),
    references: [...new Set(written.references ?? [])].filter((text) => text.trim() !== ""),
    pushes: written.pushes ?? false,
    omitted: [...new Set(omitted)],
  };
}

/** Why no image is built for a platform; undefined where one is. */
function platformFault(platform: string): string | undefined {
  try {
    const { os } = parsePlatform(platform);
    return os === "linux" ? undefined : "is not built, only images for Linux are";
  } catch {
    return "is no platform";
  }
}

function placeOf(
  { context = ".", file, isFileInContext = false }: WrittenBuild,
  folder: string,
): Pick<BuildEvidence, "file" | "otherFile" | "context"> | string {
  if (!isKnown(folder)) return `a build was left out: its folder is only known where it is built`;
  if (isKnown(context) && isRemote(context)) {
    return `a build was left out: its context is ${context}`;
  }
  const inside = isKnown(context) ? below(folder, context) : undefined;
  if (file !== undefined && !isKnown(file)) return unknownPlace("Dockerfile", file);
  if (inside === undefined && (file === undefined || isFileInContext)) {
    return unknownPlace("context", context);
  }
  const path = file === undefined
    ? joined(inside!, "Dockerfile")
    : below(isFileInContext ? inside! : folder, file);
  if (path === undefined || (isKnown(context) && inside === undefined)) {
    return `a build of ${file ?? context} was left out: it is outside of the repository`;
  }
  if (inside === undefined) return { file: path };
  const otherFile = file === undefined ? undefined : below(inside, file);
  return { file: path, ...(otherFile === undefined ? {} : { otherFile }), context: inside };
}

function unknownPlace(what: string, text: string): string {
  const parts = unknownParts(text).join(", ");
  return `a build was left out: its ${what}, ${parts}, is only known where it is built`;
}

/** Tells whether a context is no folder. */
function isRemote(context: string): boolean {
  return context === "-" || /^[a-z][a-z0-9+.-]{0,30}:\/\/|^git@/i.test(context);
}

/** A path relative to the repository; undefined where it leads out of it. */
export function below(folder: string, path: string): string | undefined {
  const text = path.startsWith(CHECKOUT) ? `./${path.slice(CHECKOUT.length)}` : path;
  const start = path.startsWith(CHECKOUT) || folder.startsWith(CHECKOUT)
    ? folder.slice(path.startsWith(CHECKOUT) ? folder.length : CHECKOUT.length)
    : folder;
  if (text.startsWith("/") && !text.startsWith(CHECKOUT)) return undefined;
  let depth = 0;
  for (const part of `${start}/${text}`.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return undefined;
  }
  return joined(start, text);
}

function contextsOf(
  pairs: Readonly<Record<string, string>>,
  folder: string,
): Record<string, ContextSource> {
  return Object.fromEntries(
    Object.entries(pairs).map(([name, value]): [string, ContextSource] => {
      const [, build] = /^(?:target|service):(.+)$/.exec(value) ?? [];
      if (build !== undefined) return [name, { build }];
      return [name, isRemote(value) ? value : below(folder, value) ?? value];
    }),
  );
}

/** `id=npm,src=.npmrc` with the path relative to the repository. */
function relativeSecret(text: string, folder: string): string {
  return text.split(",").map((part) => {
    const [key, path] = splitAt(part, "=");
    const isPath = ["src", "source"].includes(key) && !path.startsWith("~");
    return isPath ? `${key}=${below(folder, path) ?? path}` : part;
  }).join(",");
}
