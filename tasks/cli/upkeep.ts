/** Verbs that keep a project and its machine in order. */

import { CompletionsCommand } from "@cliffy/command/completions";
import { type Done, verb } from "./globals.ts";

/** The verbs of this theme, by name. */
export function upkeepVerbs(done: Done) {
  return {
    clean: cleanVerb(done),
    completions: new CompletionsCommand(),
  };
}

function cleanVerb(done: Done) {
  return verb("Remove all state of this project.")
    .example("images clean", "the next build starts from nothing")
    .action(async (options) => done(await (await import("../clean.ts")).clean(options)));
}
