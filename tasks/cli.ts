/** The command line: verbs, options, and the module that each verb's work is in. */

import { type ArgumentValue, Command, EnumType, Type, ValidationError } from "@cliffy/command";
import { CompletionsCommand } from "@cliffy/command/completions";
import { HelpCommand } from "@cliffy/command/help";
import config from "../deno.json" with { type: "json" };
import { asFault, renderFault } from "../lib/model/errors.ts";

/** Takes a verb's exit status. */
type Done = (status: number) => void;

/** Runs one command line; answers with the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = 0;
  try {
    await commandLine((result) => status = result).parse(args);
    return status;
  } catch (error) {
    if (error instanceof ValidationError) {
      console.error(`${error.message}\nnext: see \`images help\``);
      return 2;
    }
    const fault = asFault(error);
    console.error(renderFault(fault));
    return fault.exitStatus;
  }
}

/** The whole command tree; what a verb ends with goes to `done`. */
export function commandLine(done: Done) {
  return root()
    .command("build", buildVerb(done))
    .command("push", pushVerb(done))
    .command("plan", planVerb(done))
    .command("why", whyVerb(done))
    .command("list", listVerb(done))
    .command("graph", graphVerb(done))
    .command("export", exportVerb(done))
    .command("refs", refsVerb(done))
    .command("promote", promoteVerb(done))
    .command("pin", pinVerb(done))
    .command("clean", cleanVerb(done))
    .command("completions", new CompletionsCommand())
    .command("help", new HelpCommand());
}

function root() {
  return new Command()
    .name("images")
    .version(config.version)
    .description("Builds and publishes the container images that images.ts declares.")
    .throwErrors()
    .noExit()
    .globalType("output", new EnumType(["auto", "terminal", "plain", "github", "gitlab"]))
    .globalType("engine", new EnumType(["auto", "native", "docker", "podman", "buildah"]))
    .globalType("target", new TargetType())
    .globalComplete("target", completeTargets)
    .globalOption("--file <path:file>", "Where the images are declared.", { default: "images.ts" })
    .globalOption("-j, --jobs <n:integer>", "Most builds at once.")
    .globalOption("--keep-going", "Go on with what does not depend on a failure.")
    .globalOption("--platform <platform:string>", "Build for this platform only.")
    .globalOption("--force", "Do it whatever the records say.")
    .globalOption("--arg <NAME=VALUE:string>", "A build argument.", { collect: true })
    .globalOption("--engine <engine:engine>", "What builds Dockerfiles.")
    .globalOption("--builder <name:string>", "The builder of docker buildx.")
    .globalOption("--remote", "Ask the registry before building (the default).")
    .globalOption("--no-remote", "Do not ask the registry before building.")
    .globalOption("--pull", "Ask for moved base images.")
    .globalOption("--json", "Print the result as JSON.")
    .globalOption("--output <mode:output>", "How progress is shown.")
    .globalOption("-q, --quiet", "Show failures only.")
    .globalOption("-v, --verbose", "Show all output of builds.")
    .globalOption("--no-color", "Use no colour.");
}

/** A verb: it is typed with the options of all verbs, which come from above. */
function verb(description: string) {
  return new Command<Globals, [], Types>().description(description);
}

type Root = ReturnType<typeof root>;
type Globals = Root extends Command<infer O, infer _A, infer _T> ? O : never;
type Types = Root extends Command<infer _O, infer _A, infer T> ? T : never;

function buildVerb(done: Done) {
  return verb("Build what is not up to date.")
    .arguments("[target...:target]")
    .option("--all", "Every image; a missing tool is then a failure.")
    .example("images build", "everything this machine can build")
    .example("images build web docs --keep-going", "a group and an image")
    .action(async (options, ...targets) =>
      done(await (await import("./build.ts")).build(options, targets))
    );
}

function pushVerb(done: Done) {
  return verb("Make a registry hold each target, building what neither has.")
    .arguments("[target...:target]")
    .option("--all", "Every image; a missing tool is then a failure.")
    .option("--to <registry:string>", "Which registry.")
    .option("--tag <tag:string>", "Tag instead of the recipe's own.", { collect: true })
    .option("--dry-run", "Only say what would happen.")
    .example("images push --all", "what CI runs")
    .example("images push app --to overlay --tag try", "one image, one registry, one tag")
    .action(async (options, ...targets) =>
      done(await (await import("./push.ts")).push(options, targets))
    );
}

function refsVerb(done: Done) {
  return verb("Print repository@sha256:… of what is published.")
    .arguments("[target...:target]")
    .type("refs", new EnumType(["text", "json", "env", "kustomize", "compose"]))
    .option("--format <format:refs>", "How it is written.", { default: "text" as const })
    .option("--to <registry:string>", "Which registry.")
    .option("--from <tag:string>", "What a tag stands for, not what images.ts describes.")
    .example("images refs --format env > images.env", "for a deployment")
    .action(async (options, ...targets) =>
      done(await (await import("./refs.ts")).refs(options, targets))
    );
}

function promoteVerb(done: Done) {
  return verb("Move or add a tag in the registry, without a build.")
    .arguments("<target:target>")
    .option("--tag <tag:string>", "The tag to move or add.", { required: true })
    .option("--from <tag:string>", "What it shall stand for; else what images.ts describes.")
    .option("--to <registry:string>", "Which registry.")
    .example("images promote app --tag stable", "a release")
    .example("images promote app --tag latest --from v1.4.2", "a rollback")
    .action(async (options, target) =>
      done(await (await import("./promote.ts")).promote(options, target))
    );
}

function pinVerb(done: Done) {
  return verb("Write the digests of base images to images.lock.")
    .arguments("[target...:target]")
    .option("--update", "Also of those that are pinned and have moved.")
    .example("images pin --update", "take the present bases")
    .action(async (options, ...targets) =>
      done(await (await import("./pin.ts")).pin(options, targets))
    );
}

function planVerb(done: Done) {
  return verb("Say what a build would do, and why; change nothing.")
    .arguments("[target...:target]")
    .option("--all", "Every image.")
    .type("purpose", new EnumType(["build", "push"]))
    .option("--for <purpose:purpose>", "What it is a plan for: build or push.")
    .example("images plan", "verdict, content tag and reasons of every image")
    .action(async (options, ...targets) =>
      done(await (await import("./plan.ts")).plan(options, targets))
    );
}

function whyVerb(done: Done) {
  return verb("Say why a target would be, or was, rebuilt.")
    .arguments("<target:target>")
    .example("images why app", "changed inputs, the first cause, the cascade")
    .action(async (options, target) => done(await (await import("./why.ts")).why(options, target)));
}

function listVerb(done: Done) {
  return verb("List images, tasks and groups.")
    .example("images list --json", "what is declared, for a script")
    .action(async (options) => done(await (await import("./list.ts")).list(options)));
}

function graphVerb(done: Done) {
  return verb("Show what needs what.")
    .type("format", new EnumType(["text", "mermaid", "dot", "json"]))
    .option("--format <format:format>", "How it is written.", { default: "text" as const })
    .example("images graph --format mermaid", "for a README")
    .action(async (options) => done(await (await import("./graph.ts")).graph(options)));
}

function exportVerb(done: Done) {
  return verb("Write an image for other tools.")
    .arguments("<target:target>")
    .option("--to <destination:string>", "oci:DIR, oci-archive:FILE or docker-archive:FILE.", {
      required: true,
    })
    .example("images export app --to oci-archive:app.tar", "one file that skopeo and podman read")
    .action(async (options, target) =>
      done(await (await import("./export.ts")).exportTo(options, target))
    );
}

function cleanVerb(done: Done) {
  return verb("Remove all state of this project.")
    .example("images clean", "the next build starts from nothing")
    .action(async (options) => done(await (await import("./clean.ts")).clean(options)));
}

/** A name, group, glob, `NAME...` or `...NAME`; what it stands for is known when images.ts is. */
class TargetType extends Type<string> {
  parse({ value }: ArgumentValue): string {
    return value;
  }
}

async function completeTargets(): Promise<string[]> {
  const { loadProject } = await import("../lib/dsl/load.ts");
  const { images, tasks, groups } = await loadProject("images.ts");
  return [...images.keys(), ...tasks.keys(), ...groups.keys()];
}
