/** `images load`: hands images to docker or podman, building first what is not up to date. */

import { chooseEngine, type Engine, loadTargets } from "../lib/run/load.ts";
import type { CommonOptions } from "./options.ts";
import { printJson, type RunRequest, settle } from "./run.ts";

/** Loads the targets; answers with the exit status. */
export async function load(options: CommonOptions, targets: readonly string[]): Promise<number> {
  const request = loadBefore({ mode: "build", targets, all: false }, options);
  const { document, status } = await settle(options, { ...request, command: "load" });
  printJson(options, document);
  return status;
}

/** A run that loads its targets before it goes on. */
export function loadBefore(
  request: Omit<RunRequest, "command">,
  { engine: wanted }: CommonOptions,
): Omit<RunRequest, "command"> {
  let engine: Engine;
  return {
    ...request,
    before: async (session) => {
      engine = await chooseEngine(wanted);
      await request.before?.(session);
    },
    then: async (session, outcome, again) => {
      await loadTargets(session, outcome, engine);
      return await request.then?.(session, outcome, again) ?? outcome;
    },
  };
}
