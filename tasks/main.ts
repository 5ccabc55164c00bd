/** `deno task images`: reads the command line, hands it to a verb, and ends with its status. */

import config from "../deno.json" with { type: "json" };

if (Deno.args.length === 1 && (Deno.args[0] === "--version" || Deno.args[0] === "-V")) {
  console.log(`images ${config.version}`);
} else {
  const { main } = await import("./cli/command_line.ts");
  Deno.exit(await main(Deno.args));
}
