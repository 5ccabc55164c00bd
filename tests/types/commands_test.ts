/** What the compiler makes of option and argument strings; the same with the original. */

import { assertEquals } from "@std/assert";
import { Command, EnumType } from "@cliffy/command";
import type { Globals } from "../jsr/demo.ts";

/** Compiles where two types are the same. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;

Deno.test("options and arguments have the types of their strings", async () => {
  const seen: unknown[] = [];
  await new Command()
    .throwErrors()
    .type("mode", new EnumType(["auto", "plain"]))
    .arguments("<before:string> [after:mode]")
    .option("-j, --max-jobs <n:integer>", "A number.", { required: true })
    .option("--depth [n:number]", "A number, or just so.")
    .option("--tag <tag:string>", "Several.", { collect: true })
    .option("--mode <mode:mode>", "One of two.")
    .option("--format <mode:mode>", "One of two, always.", { default: "auto" as const })
    .option("--all", "A flag.")
    .option("--no-color", "A flag that is on.")
    .action((options, before, after) => {
      const jobs: Same<typeof options.maxJobs, number> = true;
      const depth: Same<typeof options.depth, number | true | undefined> = true;
      const tag: Same<typeof options.tag, string[] | undefined> = true;
      const mode: Same<typeof options.mode, "auto" | "plain" | undefined> = true;
      const format: Same<typeof options.format, "auto" | "plain"> = true;
      const all: Same<typeof options.all, true | undefined> = true;
      const color: Same<typeof options.color, boolean> = true;
      // With exactOptionalPropertyTypes, only some members may be there and undefined.
      const whole: Same<typeof options, {
        maxJobs: number;
        depth?: number | true;
        tag?: string[];
        mode?: "auto" | "plain";
        format: "auto" | "plain";
        all?: true | undefined;
        color: boolean;
      }> = true;
      const first: Same<typeof before, string> = true;
      const second: Same<typeof after, "auto" | "plain" | undefined> = true;
      seen.push(jobs, depth, tag, mode, format, all, color, whole, first, second, options.maxJobs);
      // @ts-expect-error an option that nobody declared
      void options.maxjobs;
    })
    .parse(["-j", "2", "a", "plain"]);
  assertEquals(seen.at(-1), 2);
});

Deno.test("options of all commands are known to those below", async () => {
  const seen: boolean[] = [];
  const below = new Command<Globals>().action((options) => {
    const file: Same<typeof options.file, string> = true;
    const even: Same<typeof options.even, number | undefined> = true;
    const arg: Same<typeof options.arg, string[] | undefined> = true;
    const mode: Same<typeof options.mode, "auto" | "plain" | undefined> = true;
    const remote: Same<Pick<typeof options, "remote">, { remote: boolean }> = true;
    seen.push(file, even, arg, mode, remote);
  });
  await below.parse([]);
  assertEquals(seen, Array(5).fill(true));
});
