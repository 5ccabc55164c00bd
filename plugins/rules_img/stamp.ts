/** What `--stamp` puts into outputs that a repository decides: the stable status, and the label. */

import { headFiles, repositoryOf } from "../../lib/files/git_index.ts";
import type { BuildContext } from "../../lib/model/plugin.ts";
import { hashText } from "../../lib/oci/hash.ts";
import { type EffectiveOption, isOn } from "./closure/options.ts";
import { valuesOf } from "./closure/rc.ts";

/** A stamp as a key and a guard see it. */
export interface Stamp {
  /** Digest of what it consists of. */
  readonly digest: string;
  /** Absolute paths of files by which status commands usually go: which commit is checked out. */
  readonly files: readonly string[];
}

/**
 * The stamp of a build; undefined where the options in effect do not ask for one. What Bazel takes for
 * volatile (it builds nothing again for its sake), and the user and host, are left out.
 *
 * @see https://bazel.build/docs/user-manual#workspace-status
 */
export async function stampOf(
  options: readonly EffectiveOption[],
  workspace: string,
  { run, signal }: Pick<BuildContext, "run" | "signal">,
): Promise<Stamp | undefined> {
  if (isOn(options, "stamp") !== true) return undefined;
  const texts = options.map(({ text }) => text);
  const label = valuesOf(texts, ["--embed_label"]).at(-1) ?? "";
  const command = valuesOf(texts, ["--workspace_status_command"]).at(-1) ?? "";
  const repository = repositoryOf(workspace);
  const status = command === "" ? [] : await stableStatus(command, workspace, run, signal);
  return {
    digest: await hashText(JSON.stringify([label, status])),
    files: command === "" || repository === undefined ? [] : headFiles(repository),
  };
}

/** The lines that count; of a command that fails Bazel itself says what is wrong. */
async function stableStatus(
  command: string,
  workspace: string,
  run: BuildContext["run"],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { stdout } = await run(["/bin/sh", "-c", command], {
    cwd: workspace,
    capture: true,
    allowFailure: true,
    signal,
    onLine: () => false,
  });
  return stdout.split("\n").filter((line) => line.startsWith("STABLE_")).sort();
}
