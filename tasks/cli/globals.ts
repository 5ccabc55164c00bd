/** The root of the command line: options and types of values that all verbs share. */

import { type ArgumentValue, Command, EnumType, Type } from "@cliffy/command";
import { helpOf } from "./help.ts";
import config from "../../deno.json" with { type: "json" };

/** Takes a verb's exit status. */
export type Done = (status: number) => void;

/** The command that all verbs are below. */
export function root() {
  const above = new Command()
    .name("images")
    .version(config.version)
    .description("Builds and publishes the container images that images.ts declares.")
    .example("images plan", "what would be done, and why")
    .example("images build web...", "web and what it needs")
    .example("images help push", "what a verb takes")
    .help(function () {
      return helpOf(this);
    })
    .throwErrors()
    .noExit()
    .globalType("output", new EnumType(["auto", "terminal", "plain", "github", "gitlab"]))
    .globalType("engine", new EnumType(["auto", "native", "docker", "podman", "buildah"]))
    .globalType("target", new NameType())
    .globalType("registry", new NameType())
    .globalOption("--file <path:file>", "Where the images are declared; else images.ts.", {
      default: "images.ts",
    })
    .globalOption("-j, --jobs <n:integer>", "Most builds at once.")
    .globalOption("--keep-going", "Go on with what does not depend on a failure.")
    .globalOption("--platform <platform:string>", "Build for this platform only.")
    .globalOption("--force", "Do it whatever the records say.")
    .globalOption("--arg <pair:string>", "A build argument, NAME=VALUE.", { collect: true })
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
  return above.action(() => above.showHelp());
}

/** A verb: it is typed with the options of all verbs, which come from above. */
export function verb(description: string) {
  return new Command<Globals, Types>().description(description);
}

type Root = ReturnType<typeof root>;

/** Options of all verbs. */
// deno-lint-ignore no-explicit-any
export type Globals = Root extends Command<any, any, any, any, infer G> ? G : never;

/** Types of values that all verbs know. */
export type Types =
  // deno-lint-ignore no-explicit-any
  Root extends Command<any, any, any, any, any, any, infer T> ? T : never;

/** Something that images.ts declares: what it stands for is known when that is loaded. */
class NameType extends Type<string> {
  parse({ value }: ArgumentValue): string {
    return value;
  }
}
