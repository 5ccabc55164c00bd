/** Verbs that only look. */

import { EnumType } from "@cliffy/command";
import { type Done, verb } from "./globals.ts";

/** The verbs of this theme, by name. */
export function lookingVerbs(done: Done) {
  return {
    list: listVerb(done),
    graph: graphVerb(done),
    affected: affectedVerb(done),
    inspect: inspectVerb(done),
    diff: diffVerb(done),
    check: checkVerb(done),
    report: reportVerb(done),
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

function inspectVerb(done: Done) {
  return verb("Look into an image: config, layers, files, bytes that are wasted.")
    .arguments("<image:target>")
    .example("images inspect app", "as images.ts describes it now, built first if need be")
    .example("images inspect ghcr.io/your-org/app:latest", "in any registry")
    .example("images inspect oci:folder:app", "in an OCI layout")
    .action(async (options, image) =>
      done(await (await import("../inspect.ts")).inspect(options, image))
    );
}

function diffVerb(done: Done) {
  return verb("Say what differs between two images: config, packages, files, sizes.")
    .arguments("<before:target> [after:target]")
    .option("--to <registry:registry>", "Which registry one image alone is looked for in.")
    .option("--from <tag:string>", "Compare with this tag instead of latest.")
    .example("images diff app", "what is published, and what would be")
    .example("images diff docker.io/library/node:20 docker.io/library/node:22", "two references")
    .action(async (options, before, after) =>
      done(await (await import("../diff.ts")).diff(options, before, after))
    );
}

function checkVerb(done: Done) {
  return verb("Verify what images.ts expects of its images.")
    .arguments("[target...:target]")
    .option("--rebuild", "Build twice from scratch, and name what is not the same.")
    .example("images check", "every expectation of every image")
    .example("images check app --rebuild", "is it reproducible, and if not, which file is it?")
    .action(async (options, ...targets) =>
      done(await (await import("../check.ts")).check(options, targets))
    );
}

function reportVerb(done: Done) {
  return verb("Write a page about the last run that did something.")
    .option("--to <path:file>", "Where it is written; else into the state's folder.")
    .option("--open", "Show it in a browser.")
    .example("images report --open", "graph, timeline, reasons, layers and logs of one run")
    .action(async (options) => done(await (await import("../report.ts")).report(options)));
}
