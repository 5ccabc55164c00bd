/** `images push`: makes a registry hold each target under its content tag and its mutable tags. */

import type { Project } from "../lib/model/recipe.ts";
import { chooseDestination } from "../lib/registry/publish/destination.ts";
import { refuseBeforeBuilding } from "../lib/run/push/guard.ts";
import { preview } from "../lib/run/push/preview.ts";
import { publish } from "../lib/run/push/publish.ts";
import type { PushRequest } from "../lib/run/push/request.ts";
import type { CommonOptions } from "./options.ts";
import { openProject, printJson, type RunRequest, settle } from "./run.ts";

/** Options of `push`. */
export interface PushOptions extends CommonOptions {
  readonly all?: boolean | undefined;
  readonly to?: string;
  readonly tag?: readonly string[];
  readonly dryRun?: boolean | undefined;
}

/** Publishes the targets; answers with the exit status. */
export async function push(options: PushOptions, targets: readonly string[]): Promise<number> {
  const { registries } = await openProject(options);
  const request = pushRun(options, targets, registries, options.dryRun ?? false);
  const { document, status } = await settle(options, { command: "push", ...request });
  printJson(options, document);
  return status;
}

/** A run that pushes its targets or, with `dryRun`, says what that would do. */
export function pushRun(
  options: PushOptions,
  targets: readonly string[],
  registries: Project["registries"],
  dryRun: boolean,
): Omit<RunRequest, "command"> {
  const destination = chooseDestination(registries, options.to, Deno.env.toObject());
  const request: PushRequest = {
    destination,
    tags: options.tag ?? [],
    named: targets.length > 0 && !options.all,
  };
  return {
    mode: dryRun ? "plan" : "build",
    targets,
    all: options.all ?? false,
    destination: destination.name,
    settings: { publishes: !dryRun },
    before: (session) => refuseBeforeBuilding(session, request),
    then: (session, outcome, again) =>
      dryRun ? preview(session, outcome, request) : publish(session, outcome, request, again),
  };
}
