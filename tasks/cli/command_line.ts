/** The command line: every verb below one root, and what becomes of wrong usage. */

import { ValidationError } from "@cliffy/command";
import { HelpCommand } from "@cliffy/command/help";
import { asFault, type Fault, renderFault, usageFault } from "../../lib/model/errors.ts";
import { buildingVerbs } from "./building.ts";
import { type Done, root } from "./globals.ts";
import { handingOnVerbs } from "./handing_on.ts";
import { lookingVerbs } from "./looking.ts";
import { upkeepVerbs } from "./upkeep.ts";
import { print } from "../print.ts";

/** Runs one command line; answers with the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const begun = performance.now();
  let status = 0;
  let help = "images help";
  const all = commandLine((result) => status = result, (verb) => {
    if (verb !== "images" && verb !== "help") help += ` ${verb}`;
  });
  try {
    await all.parse(withOperands(args));
    return status;
  } catch (error) {
    const fault = error instanceof ValidationError
      ? usageFault(error.message, { next: `see \`${help}\`` })
      : asFault(error);
    console.error(renderFault(fault));
    if (isJsonWanted(args)) {
      const command = args.find((arg) => all.getCommand(arg) !== undefined) ?? "images";
      print(JSON.stringify(await failureDocument(command, fault, performance.now() - begun)));
    }
    return fault.exitStatus;
  }
}

/**
 * Words behind `--` are operands, as everywhere; left out, they would widen what a verb acts on.
 *
 * @throws {Fault} where one cannot be an operand.
 */
function withOperands(args: readonly string[]): string[] {
  const end = args.indexOf("--");
  if (end < 0) return [...args];
  const operands = args.slice(end + 1);
  const option = operands.find((word) => word.startsWith("-"));
  if (option === undefined) return [...args.slice(0, end), ...operands];
  throw usageFault(`"${option}" stands behind \`--\`, where only targets can`, {
    next: "put options in front of `--`",
  });
}

/** What comes behind `--` is no option. */
function isJsonWanted(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return (end < 0 ? args : args.slice(0, end)).includes("--json");
}

/** Whoever reads documents gets one of what ended everything, too. */
async function failureDocument(command: string, fault: Fault, ms: number) {
  const { errorResult, resultDocument } = await import("../../lib/run/results.ts");
  const nothing = resultDocument(command, { settled: [], indexes: [] }, ms);
  return { ...nothing, ok: false, error: errorResult(fault) };
}

/** The whole command tree; what a verb ends with goes to `done`, where it is wrong to `wrong`. */
export function commandLine(done: Done, wrong: (verb: string) => void = () => {}) {
  const above = root().error((_, verb) => wrong(verb.getName()));
  const verbs = {
    ...buildingVerbs(done),
    ...lookingVerbs(done),
    ...handingOnVerbs(done),
    ...upkeepVerbs(done),
    help: new HelpCommand().example("images help build", "what build does and takes"),
  };
  for (const [name, verb] of Object.entries(verbs)) above.command(name, verb);
  return above;
}
