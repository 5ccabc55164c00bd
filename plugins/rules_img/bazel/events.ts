/**
 * Bazel's build events as JSON, one a line: which files each target's output groups hold, and what
 * failed. Paths are never made up from labels: transitions move them.
 *
 * @see https://bazel.build/remote/bep
 */

import { canonicalLabel } from "./label.ts";

/** A file that was built. */
export interface BuiltFile {
  /** Path below the folder for outputs of its configuration, e.g. `app/image_digest`. */
  readonly name: string;
  /** Where it is on this machine, if it was downloaded. */
  readonly path: string;
}

/** What became of a target. */
export interface BuiltTarget {
  readonly success: boolean;
  /** Output group → its files. */
  readonly groups: ReadonlyMap<string, readonly BuiltFile[]>;
  /** Why it failed, the most telling first. */
  readonly failures: readonly Failure[];
}

/** Why something failed. */
export interface Failure {
  readonly message: string;
  /** What could not be made, where it was an action. */
  readonly label?: string;
  /** Kind of the action, e.g. `Genrule`. */
  readonly mnemonic?: string;
  /** Exit status of its program. */
  readonly status?: number;
  /** Absolute path of what its program printed to standard error. */
  readonly output?: string;
}

/** What one command told. */
export interface BuildEvents {
  /** Label → what became of it. */
  readonly targets: ReadonlyMap<string, BuiltTarget>;
  /** Label or pattern → why it was not built. */
  readonly aborted: ReadonlyMap<string, Abortion>;
}

/** Why something was not built. */
export interface Abortion {
  /** In Bazel's words, its own or those of what it stands for. */
  readonly description?: string;
  /** A word of Bazel's, e.g. `ANALYSIS_FAILURE`. */
  readonly reason?: string;
  /** Labels of what it was not built for. */
  readonly causes: readonly string[];
}

interface EventFile {
  readonly name: string;
  readonly uri?: string;
  readonly pathPrefix?: readonly string[];
}

interface FileSet {
  readonly files?: readonly EventFile[];
  /** Files whose contents the event has too, where a flag asks for that. */
  readonly inlineFiles?: readonly EventFile[];
  readonly fileSets?: readonly { readonly id: string }[];
}

/** A target, or what an aspect made of it: then it is not the target that completed. */
interface TargetId {
  readonly label: string;
  readonly aspect?: string;
}

/** Says what an event is about. */
interface EventId {
  readonly namedSet?: { readonly id: string };
  readonly targetCompleted?: TargetId;
  readonly targetConfigured?: TargetId;
  readonly configuredLabel?: TargetId;
  readonly unconfiguredLabel?: TargetId;
  readonly pattern?: { readonly pattern: readonly string[] };
  readonly actionCompleted?: ActionId;
}

/** The parts of an event that are looked at. */
interface Event {
  readonly id: EventId;
  readonly children?: readonly EventId[];
  readonly namedSetOfFiles?: FileSet;
  readonly workspaceInfo?: { readonly localExecRoot?: string };
  readonly completed?: {
    readonly success?: boolean;
    readonly outputGroup?: readonly (FileSet & { readonly name: string })[];
    readonly failureDetail?: { readonly message?: string };
  };
  readonly action?: {
    readonly success?: boolean;
    readonly type?: string;
    readonly stderr?: { readonly uri?: string };
    readonly failureDetail?: {
      readonly message?: string;
      readonly spawn?: { readonly spawnExitCode?: number };
    };
  };
  readonly aborted?: { readonly reason?: string; readonly description?: string };
}

interface ActionId {
  readonly primaryOutput?: string;
  readonly label?: string;
}

/** Reads the events of a command. A last line that was cut off when Bazel ended is left out. */
export function parseEvents(text: string): BuildEvents {
  const events = text.split("\n").flatMap(parseLine);
  const sets = new Map<string, FileSet>();
  const actions = new Map<string, Failure>();
  const aborted = new Map<string, Abortion>();
  let execRoot: string | undefined;
  for (const event of events) {
    const { id } = event;
    if (id.namedSet !== undefined) sets.set(id.namedSet.id, event.namedSetOfFiles ?? {});
    execRoot ??= event.workspaceInfo?.localExecRoot;
    if (id.actionCompleted !== undefined && event.action?.success !== true) {
      actions.set(keyOf(id.actionCompleted), failureOf(id.actionCompleted, event.action));
    }
    if (event.aborted !== undefined) noteAbortion(aborted, event);
  }
  const targets = new Map<string, BuiltTarget>();
  for (const { id, completed, children = [] } of events) {
    if (id.targetCompleted === undefined || completed === undefined) continue;
    const { label, aspect } = id.targetCompleted;
    const own = completed.failureDetail?.message;
    const success = completed.success === true;
    const failures = [
      ...children.flatMap(({ actionCompleted }) =>
        actionCompleted === undefined ? [] : actions.get(keyOf(actionCompleted)) ?? []
      ),
      ...(own === undefined ? [] : [{ message: own }]),
    ];
    const known = targets.get(canonicalLabel(label));
    if (aspect !== undefined) {
      // What an aspect makes is no part of the image, but a check that fails is one that counts.
      if (success || known === undefined) continue;
      targets.set(canonicalLabel(label), { ...known, success, failures });
      continue;
    }
    const groups = new Map(
      (completed.outputGroup ?? []).map((group) =>
        [group.name, filesOf(group, sets, execRoot)] as const
      ),
    );
    targets.set(canonicalLabel(label), { success, groups, failures });
  }
  const why = [...aborted].map(([name, own]) => [name, explained(own, aborted)] as const);
  return { targets, aborted: new Map(why) };
}

/** Of several events about one target the first has the most to say. */
function noteAbortion(
  aborted: Map<string, Abortion>,
  { id, children = [], aborted: { description, reason } = {} }: Event,
): void {
  const abortion = {
    causes: children.flatMap(namesOf).map(canonicalLabel),
    ...(description ? { description } : {}),
    ...(reason ? { reason } : {}),
  };
  for (const name of namesOf(id).map(canonicalLabel)) {
    if (!aborted.has(name)) aborted.set(name, abortion);
  }
}

/** Where an event has no words of its own, those of its first cause that has some. */
function explained(own: Abortion, aborted: ReadonlyMap<string, Abortion>): Abortion {
  if (own.description !== undefined) return own;
  const description = own.causes.map((cause) => aborted.get(cause)?.description).find(Boolean);
  return description === undefined ? own : { ...own, description };
}

function parseLine(line: string): Event[] {
  if (line === "") return [];
  try {
    return [JSON.parse(line) as Event];
  } catch {
    return [];
  }
}

function namesOf({ pattern, targetCompleted, targetConfigured, ...id }: EventId): string[] {
  const target = targetCompleted ?? targetConfigured ?? id.configuredLabel ?? id.unconfiguredLabel;
  const isOfTarget = target !== undefined && target.aspect === undefined;
  return [...pattern?.pattern ?? [], ...(isOfTarget ? [target.label] : [])];
}

function failureOf({ label }: ActionId, action: Event["action"]): Failure {
  const { type, stderr, failureDetail } = action ?? {};
  const status = failureDetail?.spawn?.spawnExitCode;
  const output = pathOfUri(stderr?.uri);
  return {
    message: failureDetail?.message ?? "it failed",
    ...(label === undefined ? {} : { label: canonicalLabel(label) }),
    ...(type === undefined ? {} : { mnemonic: type }),
    ...(status === undefined ? {} : { status }),
    ...(output === undefined ? {} : { output }),
  };
}

function keyOf({ label = "", primaryOutput = "" }: ActionId): string {
  return `${label} ${primaryOutput}`;
}

/** All files of a group; sets share sets, so each is taken once. */
function filesOf(
  group: FileSet,
  sets: ReadonlyMap<string, FileSet>,
  execRoot: string | undefined,
): BuiltFile[] {
  const files: BuiltFile[] = [];
  const seen = new Set<FileSet>([group]);
  for (const set of seen) {
    for (const file of [...set.files ?? [], ...set.inlineFiles ?? []]) {
      const path = localPath(file, execRoot);
      if (path !== undefined) files.push({ name: file.name, path });
    }
    for (const { id } of set.fileSets ?? []) {
      const next = sets.get(id);
      if (next !== undefined) seen.add(next);
    }
  }
  return files;
}

/** A file that is kept remotely has its usual path once it is downloaded. */
function localPath(
  { name, uri, pathPrefix = [] }: EventFile,
  execRoot: string | undefined,
): string | undefined {
  return pathOfUri(uri) ??
    (execRoot === undefined ? undefined : [execRoot, ...pathPrefix, name].join("/"));
}

function pathOfUri(uri: string | undefined): string | undefined {
  return uri?.startsWith("file://") ? decodeURIComponent(new URL(uri).pathname) : undefined;
}
