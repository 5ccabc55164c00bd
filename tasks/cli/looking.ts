/** Verbs that only look. */

import { EnumType } from "@cliffy/command";
import { type Done, verb } from "./globals.ts";

/** The verbs of this theme, by name. */
export function lookingVerbs(done: Done) {
  return {
    list: listVerb(done),
    graph: graphVerb(done),
    affected: affectedVerb(done),
  };
}

function listVerb(done: Done) {
  return verb("List images, tasks and groups.")
    .example("images list --json", "what is declared, for a script")
    .action(async (options) => done(await (await import("../list.ts")).list(options)));
}

function graphVerb(done: Done) {
  return verb("Show what needs what.")
    .type("format", new EnumType(["text", "mermaid", "dot", "json"]))
    .option("--format <format:format>", "How it is written.", { default: "text" as const })
    .example("images graph --format mermaid", "for a README")
    .action(async (options) => done(await (await import("../graph.ts")).graph(options)));
}

function affectedVerb(done: Done) {
  return verb("Name what the changes since a commit can touch.")
    .option("--since <commit:string>", "What to compare the files with.", { required: true })
    .example("images affected --since origin/main", "images and tasks, a name a line")
    .example(
      "images affected --since HEAD~1 | xargs -r deno task images build",
      "only those; without -r no name would mean all",
    )
    .action(async (options) => done(await (await import("../affected.ts")).affected(options)));
}
