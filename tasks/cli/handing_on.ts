/** Verbs that give images to others: tools, deployments, tags. */

import { EnumType } from "@cliffy/command";
import { type Done, verb } from "./globals.ts";

/** The verbs of this theme, by name. */
export function handingOnVerbs(done: Done) {
  return {
    export: exportVerb(done),
    load: loadVerb(done),
    refs: refsVerb(done),
    promote: promoteVerb(done),
    pin: pinVerb(done),
  };
}

function exportVerb(done: Done) {
  return verb("Write an image for other tools.")
    .arguments("<target:target>")
    .option("--to <destination:string>", "oci:DIR, oci-archive:FILE or docker-archive:FILE.", {
      required: true,
    })
    .example("images export app --to oci-archive:app.tar", "one file that skopeo and podman read")
    .action(async (options, target) =>
      done(await (await import("../export.ts")).exportTo(options, target))
    );
}

function loadVerb(done: Done) {
  return verb("Load images into docker or podman, as NAME:latest.")
    .arguments("[target...:target]")
    .example("images load app --engine podman", "build app if need be, and hand it to podman")
    .action(async (options, ...targets) =>
      done(await (await import("../load.ts")).load(options, targets))
    );
}

function refsVerb(done: Done) {
  return verb("Print repository@sha256:… of what is published.")
    .arguments("[target...:target]")
    .type("refs", new EnumType(["text", "json", "env", "kustomize", "compose"]))
    .option("--format <format:refs>", "How it is written.", { default: "text" as const })
    .option("--to <registry:registry>", "Which registry.")
    .option("--from <tag:string>", "What a tag stands for, not what images.ts describes.")
    .example("images refs --format env > images.env", "for a deployment")
    .action(async (options, ...targets) =>
      done(await (await import("../refs.ts")).refs(options, targets))
    );
}

function promoteVerb(done: Done) {
  return verb("Move or add a tag in the registry, without a build.")
    .arguments("<target:target>")
    .option("--tag <tag:string>", "The tag to move or add.", { required: true })
    .option("--from <tag:string>", "What it shall stand for; else what images.ts describes.")
    .option("--to <registry:registry>", "Which registry.")
    .example("images promote app --tag stable", "a release")
    .example("images promote app --tag latest --from v1.4.2", "a rollback")
    .action(async (options, target) =>
      done(await (await import("../promote.ts")).promote(options, target))
    );
}

function pinVerb(done: Done) {
  return verb("Write the digests of base images to images.lock.")
    .arguments("[target...:target]")
    .option("--update", "Also of those that are pinned and have moved.")
    .example("images pin --update", "take the present bases")
    .action(async (options, ...targets) =>
      done(await (await import("../pin.ts")).pin(options, targets))
    );
}
