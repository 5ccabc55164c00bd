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
}

/** What one command told. */
export interface BuildEvents {
  /** Label → what became of it. */
  readonly targets: ReadonlyMap<string, BuiltTarget>;
  /** Label or pattern → why it was not built. */
  readonly aborted: ReadonlyMap<string, string>;
}

interface EventFile {
  readonly name: string;
  readonly uri?: string;
  readonly pathPrefix?: readonly string[];
}

interface FileSet {
  readonly files?: readonly EventFile[];
  readonly fileSets?: readonly { readonly id: string }[];
}

/** The parts of an event that are looked at. */
interface Event {
  readonly id: {
    readonly namedSet?: { readonly id: string };
    readonly targetCompleted?: { readonly label: string };
    readonly targetConfigured?: { readonly label: string };
    readonly configuredLabel?: { readonly label: string };
    readonly unconfiguredLabel?: { readonly label: string };
    readonly pattern?: { readonly pattern: readonly string[] };
    readonly actionCompleted?: ActionId;
  };
  readonly children?: readonly { readonly actionCompleted?: ActionId }[];
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
    readonly failureDetail?: { readonly message?: string };
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
  const aborted = new Map<string, string>();
  let execRoot: string | undefined;
  for (const event of events) {
    const { id } = event;
    if (id.namedSet !== undefined) sets.set(id.namedSet.id, event.namedSetOfFiles ?? {});
    execRoot ??= event.workspaceInfo?.localExecRoot;
    if (id.actionCompleted !== undefined && event.action?.success !== true) {
      actions.set(keyOf(id.actionCompleted), failureOf(id.actionCompleted, event.action));
    }
    for (const name of event.aborted === undefined ? [] : namesOf(id)) {
      const { description, reason } = event.aborted!;
      aborted.set(canonicalLabel(name), description || reason || "it was not built");
    }
  }
  const targets = new Map<string, BuiltTarget>();
  for (const { id, completed, children = [] } of events) {
    if (id.targetCompleted === undefined || completed === undefined) continue;
    const own = completed.failureDetail?.message;
    targets.set(canonicalLabel(id.targetCompleted.label), {
      success: completed.success === true,
      groups: new Map(
        (completed.outputGroup ?? []).map((group) =>
          [group.name, filesOf(group, sets, execRoot)] as const
        ),
      ),
      failures: [
        ...children.flatMap(({ actionCompleted }) =>
          actionCompleted === undefined ? [] : actions.get(keyOf(actionCompleted)) ?? []
        ),
        ...(own === undefined ? [] : [{ message: own }]),
      ],
    });
  }
  return { targets, aborted };
}

function parseLine(line: string): Event[] {
  if (line === "") return [];
  try {
    return [JSON.parse(line) as Event];
  } catch {
    return [];
  }
}

function namesOf({ pattern, targetCompleted, targetConfigured, ...id }: Event["id"]): string[] {
  const label = targetCompleted ?? targetConfigured ?? id.configuredLabel ?? id.unconfiguredLabel;
  return [...pattern?.pattern ?? [], ...(label === undefined ? [] : [label.label])];
}

function failureOf({ label }: ActionId, action: Event["action"]): Failure {
  return {
    message: action?.failureDetail?.message ?? "it failed",
    ...(label === undefined ? {} : { label: canonicalLabel(label) }),
    ...(action?.type === undefined ? {} : { mnemonic: action.type }),
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
    for (const file of set.files ?? []) {
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
  if (uri?.startsWith("file://")) return decodeURIComponent(new URL(uri).pathname);
  return execRoot === undefined ? undefined : [execRoot, ...pathPrefix, name].join("/");
}
