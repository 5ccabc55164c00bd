/** What a Dockerfile demands of an engine beyond what all of them can do. */

import type { Options } from "../plan/options.ts";
import type { Origin, Plan, PlannedStage, Step } from "../plan/stages.ts";
import type { FetchedAdd } from "../plan/survey.ts";

/** A part of Dockerfiles that not every engine knows. */
export type Feature =
  | "heredoc"
  | "mount"
  | "link"
  | "parents"
  | "exclude"
  | "run-flag"
  | "folder-context"
  | "folder-base"
  | "secret";

/** A feature that is used. */
export interface Demand {
  readonly feature: Feature;
  /** What it is called in errors. */
  readonly what: string;
}

/** What a plan demands, in the order of the file. */
export function demandsOf(plan: Plan, options: Options, adds: readonly FetchedAdd[]): Demand[] {
  const { secrets, ssh } = options;
  return [
    ...plan.stages.flatMap((stage) => [...ofBase(stage), ...stage.steps.flatMap(ofStep)]),
    ...adds.slice(0, 1).map((): Demand => ({
      feature: "folder-context",
      what: "ADD of what is fetched, which is handed over as a named build context",
    })),
    ...(secrets.length + ssh.length > 0
      ? [{ feature: "secret", what: "secrets and SSH agents" } as const]
      : []),
  ];
}

function ofBase({ origin }: PlannedStage): Demand[] {
  if (origin.kind !== "folder" && origin.kind !== "git") return [];
  return [{ feature: "folder-base", what: "FROM a folder" }];
}

function ofStep({ instruction, from, mounts }: Step): Demand[] {
  const demand = (feature: Feature, what: string): Demand => ({ feature, what });
  const { keyword, options, heredocs } = instruction;
  const origins: (Origin | undefined)[] = [from, ...mounts.map((mount) => mount.origin)];
  return [
    ...(heredocs.length > 0 ? [demand("heredoc", "a here-document")] : []),
    ...(options["mount"] !== undefined ? [demand("mount", "RUN --mount")] : []),
    ...(options["link"]?.[0] === "true" ? [demand("link", `${keyword} --link`)] : []),
    ...(options["parents"]?.[0] === "true" ? [demand("parents", `${keyword} --parents`)] : []),
    ...(options["exclude"] !== undefined ? [demand("exclude", `${keyword} --exclude`)] : []),
    ...["network", "security", "device"].filter((flag) => options[flag] !== undefined)
      .map((flag) => demand("run-flag", `RUN --${flag}`)),
    ...(origins.some((origin) => origin?.kind === "folder" || origin?.kind === "git")
      ? [demand("folder-context", "a named build context")]
      : []),
  ];
}
