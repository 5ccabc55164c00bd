/** Verbs that settle images, and say what they would do. */

import { EnumType } from "@cliffy/command";
import { type Done, verb } from "./globals.ts";

/** The verbs of this theme, by name. */
export function buildingVerbs(done: Done) {
  return {
    build: buildVerb(done),
    push: pushVerb(done),
    plan: planVerb(done),
    why: whyVerb(done),
    watch: watchVerb(done),
  };
}

function buildVerb(done: Done) {
  return goingOn("Build what is not up to date.")
    .example("images build", "everything this machine can build")
    .example("images build web docs --keep-going", "a group and an image")
    .action(async (options, ...targets) =>
      done(await (await import("../build.ts")).build(options, targets))
    );
}

function pushVerb(done: Done) {
  return verb("Make a registry hold each target, building what neither has.")
    .arguments("[target...:target]")
    .option("--all", "Every image; a missing tool is then a failure.")
    .option("--to <registry:registry>", "Which registry.")
    .option("--tag <tag:string>", "Tag instead of the recipe's own.", { collect: true })
    .option("--dry-run", "Only say what would happen.")
    .option("--strict-inputs", "Fail where a file that git ignores enters a key.")
    .example("images push --all", "what CI runs")
    .example("images push app --to overlay --tag try", "one image, one registry, one tag")
    .action(async (options, ...targets) =>
      done(await (await import("../push.ts")).push(options, targets))
    );
}

function planVerb(done: Done) {
  return verb("Say what a build would do, and why; change nothing.")
    .arguments("[target...:target]")
    .option("--all", "Every image.")
    .type("purpose", new EnumType(["build", "push"]))
    .option("--for <purpose:purpose>", "What it is a plan for: build or push.")
    .option("--to <registry:registry>", "Of a push, which registry.")
    .option("--strict-inputs", "Fail where a file that git ignores enters a key.")
    .example("images plan", "verdict, content tag and reasons of every image")
    .action(async (options, ...targets) =>
      done(await (await import("../plan.ts")).plan(options, targets))
    );
}

function whyVerb(done: Done) {
  return verb("Say why a target would be, or was, rebuilt.")
    .arguments("<target:target>")
    .example("images why app", "changed inputs, the first cause, the cascade")
    .action(async (options, target) =>
      done(await (await import("../why.ts")).why(options, target))
    );
}

function watchVerb(done: Done) {
  return goingOn("Build again whenever something changes that counts; Ctrl-C ends.")
    .example("images watch app", "one image and what it needs")
    .example("images watch --load", "keep docker's images up to date")
    .action(async (options, ...targets) =>
      done(await (await import("../watch.ts")).watch(options, targets))
    );
}

/** A verb that builds, and may go on from there. */
function goingOn(description: string) {
  return verb(description)
    .arguments("[target...:target]")
    .option("--all", "Every image; a missing tool is then a failure.")
    .option("--strict-inputs", "Fail where a file that git ignores enters a key.")
    .option("--load", "Then load them into docker or podman (--engine).")
    .option("--push", "Then publish them, as push does.")
    .option("--to <registry:registry>", "With --push, which registry.")
    .option("--tag <tag:string>", "With --push, tag instead of the recipe's own.", {
      collect: true,
    });
}
