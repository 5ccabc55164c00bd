/** What a Dockerfile demands of an engine beyond what all of them can do. */

import { isCarriedOut } from "./carried_out.ts";
import { csvFields } from "../plan/mounts.ts";
import type { Options } from "../plan/options.ts";
import type { Origin, Plan, PlannedStage, Step } from "../plan/stages.ts";
import type { FetchedAdd } from "../plan/survey.ts";
import type { Instruction } from "../syntax/script.ts";

/** A part of Dockerfiles that not every engine knows. */
export type Feature =
  | "archive-owner"
  | "chmod"
  | "chmod-words"
  | "device"
  | "exclude"
  | "expansion"
  | "folder-base"
  | "folder-context"
  | "heredoc"
  | "link"
  | "mount"
  | "network"
  | "onbuild-from"
  | "parents"
  | "secret"
  | "secret-env"
  | "security"
  | "start-interval"
  | "unpack";

/** A feature that is used. */
export interface Demand {
  readonly feature: Feature;
  /** What it is called in errors. */
  readonly what: string;
  /** Where it is used, if in the Dockerfile. */
  readonly instruction?: Instruction;
}

/** What shows only once files and bases are read. */
export interface LateDemands {
  /** ADD instructions that unpack an archive and name an owner. */
  readonly archives: readonly Instruction[];
  /** Instructions of bases' ONBUILD that take from a stage. */
  readonly triggers: readonly Instruction[];
}

/** What a plan demands, in the order of the file. */
export function demandsOf(
  plan: Plan,
  options: Options,
  adds: readonly FetchedAdd[],
  late: LateDemands,
): Demand[] {
  const { secrets, ssh } = options;
  const [fetched] = adds;
  return [
    ...plan.stages.flatMap((stage) => [...ofBase(stage), ...stage.steps.flatMap(ofStep)]),
    ...late.archives.map((instruction): Demand => ({
      feature: "archive-owner",
      what: "ADD --chown of an archive, which is for all that it holds",
      instruction,
    })),
    ...late.triggers.map((instruction): Demand => ({
      feature: "onbuild-from",
      what: "a base's ONBUILD that takes from a stage",
      instruction,
    })),
    ...(fetched === undefined ? [] : [
      {
        feature: "folder-context",
        what: "ADD of what is fetched, which is handed over as a named build context",
        instruction: fetched.instruction,
      } as const,
    ]),
    ...(secrets.length + ssh.length > 0
      ? [{ feature: "secret", what: "secrets and SSH agents" } as const]
      : []),
  ];
}

function ofBase({ stage, origin }: PlannedStage): Demand[] {
  if (origin.kind !== "folder" && origin.kind !== "git") return [];
  return [{ feature: "folder-base", what: "FROM a folder", instruction: stage.from }];
}

function ofStep(step: Step): Demand[] {
  const { instruction, from, mounts } = step;
  const demands: Demand[] = [];
  const demand = (feature: Feature, what: string) => demands.push({ feature, what, instruction });
  const { keyword, options, heredocs } = instruction;
  const isOn = (flag: string) => options[flag]?.[0] === "true";
  if (heredocs.length > 0) demand("heredoc", "a here-document");
  if (options["mount"] !== undefined) demand("mount", "RUN --mount");
  if (options["mount"]?.some(isSecretVariable)) {
    demand("secret-env", "RUN --mount=type=secret with env=");
  }
  if (isOn("link")) demand("link", `${keyword} --link`);
  const chmod = options["chmod"]?.[0];
  if (isCarriedOut(step)) {
    const flag = ["parents", "exclude"].find((name) => options[name] !== undefined);
    const what = flag === undefined ? `chmod=${chmod}` : flag;
    demand(
      "folder-context",
      `COPY --${what}, whose files are handed over as a named build context`,
    );
    return demands;
  }
  if (isOn("parents")) demand("parents", `${keyword} --parents`);
  if (options["exclude"] !== undefined) demand("exclude", `${keyword} --exclude`);
  if (chmod !== undefined) {
    demand("chmod", `${keyword} --chmod`);
    if (!/^[0-7]+$/.test(chmod)) demand("chmod-words", `${keyword} --chmod=${chmod}`);
  }
  if (options["unpack"] !== undefined) demand("unpack", "ADD --unpack");
  for (const flag of ["network", "security", "device"] as const) {
    if (options[flag] !== undefined) demand(flag, `RUN --${flag}`);
  }
  if (options["start-interval"] !== undefined) {
    demand("start-interval", "HEALTHCHECK --start-interval");
  }
  if (keyword !== "RUN" && wordsOf(instruction).some(hasPatternExpansion)) {
    demand("expansion", "${NAME#pattern} and the like");
  }
  const origins: (Origin | undefined)[] = [from, ...mounts.map((mount) => mount.origin)];
  if (origins.some((origin) => origin?.kind === "folder" || origin?.kind === "git")) {
    demand("folder-context", "a named build context");
  }
  return demands;
}

function isSecretVariable(flag: string): boolean {
  const fields = csvFields(flag).map((field) => field.toLowerCase());
  return fields.includes("type=secret") && fields.some((field) => field.startsWith("env="));
}

/** The words in which variables are put in. */
function wordsOf({ keyword, args, pairs, options }: Instruction): string[] {
  // Those of commands are the shell's own.
  if (["CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL", "ONBUILD"].includes(keyword)) return [];
  const flags = Object.values(options).flatMap((values) => values ?? []);
  return [...args, ...pairs.flatMap(({ name, value }) => [name, value]), ...flags];
}

/** `${NAME#pattern}`, `${NAME%pattern}` or `${NAME/pattern/text}`. */
function hasPatternExpansion(word: string): boolean {
  return /\$\{\w+[#%/]/.test(word);
}
