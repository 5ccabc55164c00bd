/** Verbs that keep a project and its machine in order. */

import { EnumType } from "@cliffy/command";
import { SHELLS } from "../completions/shells.ts";
import { type Done, verb } from "./globals.ts";

/** The verbs of this theme, by name. */
export function upkeepVerbs(done: Done) {
  return {
    doctor: doctorVerb(done),
    init: initVerb(done),
    prune: pruneVerb(done),
    clean: cleanVerb(done),
    completions: completionsVerb(done),
  };
}

function doctorVerb(done: Done) {
  return verb("Say whether this machine can build and publish what images.ts declares.")
    .example("images doctor", "programs, credentials, and whether registries may be written")
    .action(async (options) => done(await (await import("../doctor.ts")).doctor(options)));
}

function initVerb(done: Done) {
  return verb("Look at the repository and write images.ts; change no file that is there.")
    .example("images init", "Dockerfiles, flake outputs and Bazel targets become images")
    .action(async (options) => done(await (await import("../init.ts")).init(options)));
}

function pruneVerb(done: Done) {
  return verb("Remove state that no current record needs; with --force also what one needs.")
    .option("--older-than <age:string>", "Only what is older, e.g. 14d, 12h.")
    .option("--max-size <size:string>", "Only the oldest, until so much is left, e.g. 10GB.")
    .option("--keep <n:integer>", "Keep so many earlier results of each image and task.")
    .option("--dry-run", "Only say what would go, the first first.")
    .example("images prune --dry-run", "what nothing needs any more")
    .example("images prune --older-than 14d --max-size 10GB", "for a nightly job")
    .action(async (options) => done(await (await import("../prune.ts")).prune(options)));
}

function cleanVerb(done: Done) {
  return verb("Remove all state of this project.")
    .example("images clean", "the next build starts from nothing")
    .action(async (options) => done(await (await import("../clean.ts")).clean(options)));
}

function completionsVerb(done: Done) {
  return verb("Print a script that completes verbs, options and names in a shell.")
    .type("shell", new EnumType(SHELLS))
    .arguments("<shell:shell> [typed...:string]")
    .usage("<shell>")
    .example(
      "source <(deno task -q images completions bash)",
      "verbs, options and names in this bash",
    )
    .example("source <(deno task -q images completions zsh)", "in this zsh")
    .example(
      "deno task -q images completions fish | source",
      "in this fish",
    )
    .action(async (_options, shell, ...typed) =>
      done(await (await import("../completions.ts")).completions(shell, typed))
    );
}
