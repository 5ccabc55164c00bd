/** The command line: every verb below one root, and what becomes of wrong usage. */

import { ValidationError } from "@cliffy/command";
import { HelpCommand } from "@cliffy/command/help";
import { asFault, renderFault } from "../../lib/model/errors.ts";
import { buildingVerbs } from "./building.ts";
import { type Done, root } from "./globals.ts";
import { handingOnVerbs } from "./handing_on.ts";
import { lookingVerbs } from "./looking.ts";
import { upkeepVerbs } from "./upkeep.ts";

/** Runs one command line; answers with the exit status. */
export async function main(args: readonly string[]): Promise<number> {
  let status = 0;
  let help = "images help";
  const all = commandLine((result) => status = result, (verb) => {
    if (verb !== "images" && verb !== "help") help += ` ${verb}`;
  });
  try {
    await all.parse([...args]);
    return status;
  } catch (error) {
    if (error instanceof ValidationError) {
      console.error(`${error.message}\nnext: see \`${help}\``);
      return 2;
    }
    const fault = asFault(error);
    console.error(renderFault(fault));
    return fault.exitStatus;
  }
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
