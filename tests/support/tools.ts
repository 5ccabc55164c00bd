/** Tests that need a program: skipped by name where it is missing, a failure where CI lacks it. */

/** Says whether a program is on PATH. */
export function hasTool(name: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      const info = Deno.statSync(`${folder}/${name}`);
      return info.isFile && ((info.mode ?? 0) & 0o111) !== 0;
    } catch {
      return false;
    }
  });
}

/**
 * Registers a test that needs programs. The names of missing ones are part of the skipped test's
 * name; under `CI=true` a missing one fails the test instead.
 */
export function toolTest(
  tools: readonly string[],
  name: string,
  run: (t: Deno.TestContext) => void | Promise<void>,
): void {
  const missing = tools.filter((tool) => !hasTool(tool));
  const inCi = Deno.env.get("CI") === "true";
  Deno.test({
    name: missing.length === 0 ? name : `${name} (needs ${missing.join(", ")})`,
    ignore: missing.length > 0 && !inCi,
    fn(t) {
      if (missing.length > 0) throw new Error(`missing under CI: ${missing.join(", ")}`);
      return run(t);
    },
  });
}

/** Says whether the long campaigns run too (`deno task test:full`). */
export const full: boolean = Deno.env.get("IMAGES_TEST_FULL") === "1";
