/** `images push`: makes a registry hold each target under its content tag and its mutable tags. */

import { chooseDestination } from "../lib/registry/publish/destination.ts";
import { publish, type PushRequest, refuseBases, refuseBeforeBuilding } from "../lib/run/push.ts";
import type { CommonOptions } from "./options.ts";
import { openProject, printJson, settle } from "./run.ts";

/** Options of `push`. */
export interface PushOptions extends CommonOptions {
  readonly all?: boolean;
  readonly to?: string;
  readonly tag?: readonly string[];
  readonly dryRun?: boolean;
}

/** Publishes the targets; answers with the exit status. */
export async function push(options: PushOptions, targets: readonly string[]): Promise<number> {
  const project = await openProject(options);
  const destination = chooseDestination(project.registries, options.to, Deno.env.toObject());
  const request: PushRequest = {
    destination,
    tags: options.tag ?? [],
    dryRun: options.dryRun ?? false,
    force: options.force ?? false,
    named: targets.length > 0 && !options.all,
  };
  const { document, status } = await settle(options, {
    command: "push",
    mode: request.dryRun ? "plan" : "build",
    targets,
    all: options.all ?? false,
    destination: destination.name,
    before: (session) => refuseBeforeBuilding(session, request),
    examine: (session, prepared) => refuseBases(session, prepared, request),
    then: (session, outcome) => publish(session, outcome, request),
  });
  printJson(options, document);
  return status;
}
