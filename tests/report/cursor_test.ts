import { assert, assertEquals } from "@std/assert";
import { SteeredProject } from "../support/steered.ts";
import { toolTest } from "../support/tools.ts";
import { run, shows, TOOLS } from "./screens.ts";

toolTest(TOOLS, "colours and the cursor", async (t) => {
  await using steered = await SteeredProject.create({ app: {} }, ["app"]);
  const hidden = "\x1b[?25l";
  const shown = "\x1b[?25h";

  await t.step("NO_COLOR and --no-color leave every colour out", async () => {
    for (const [args, env] of [[[], { NO_COLOR: "1" }], [["--no-color"], {}]] as const) {
      await using terminal = await run(steered, ["build", "--force", ...args], { env });
      await terminal.until(shows("* app"));
      await steered.end("app");
      assertEquals(await terminal.ended(), 0);
      // deno-lint-ignore no-control-regex
      assertEquals(terminal.raw.match(/\x1b\[[\d;]*m/g), null);
    }
  });

  await t.step("without them statuses have colours", async () => {
    await using terminal = await run(steered, ["build", "--force"]);
    await steered.end("app");
    assertEquals(await terminal.ended(), 0);
    assert(terminal.raw.includes("\x1b[32mbuilt\x1b[0m"));
  });

  await t.step("whatever ends the process, the cursor comes back", async () => {
    for (const signals of [["SIGTERM"], ["SIGHUP"], ["SIGQUIT"], ["SIGINT", "SIGINT"]] as const) {
      await using terminal = await run(steered, ["build", "--force"]);
      await terminal.until(shows("* app"));
      assertEquals(await terminal.hasCursor(), false);
      for (const signal of signals) await terminal.signal(signal);
      await terminal.ended();
      assertEquals(await terminal.hasCursor(), true, signals.join());
      assertEquals(terminal.raw.lastIndexOf(shown) > terminal.raw.lastIndexOf(hidden), true);
    }
  });

  await t.step("while it is stopped, the shell has its cursor", async () => {
    await using terminal = await run(steered, ["build", "--force"]);
    await terminal.until(shows("* app"));
    await terminal.signal("SIGTSTP");
    await terminal.untilStopped();
    await terminal.untilCursor(true);
    await terminal.signal("SIGCONT");
    await terminal.untilCursor(false);
    await steered.end("app");
    assertEquals(await terminal.ended(), 0);
    assertEquals(await terminal.hasCursor(), true);
  });
});
