/** The version of Nix, asked for only where no evaluation of this run has told it. */

import type { BuildContext } from "../../lib/model/plugin.ts";

const NAME = "nix version";

/** The first version to which the path of a derivation means the file, not what is built from it. */
const DERIVATION_IS_FILE = [2, 15];

/** Takes note of what an evaluation told. */
export async function rememberVersion(context: BuildContext, version: string): Promise<void> {
  await context.once(NAME, () => Promise.resolve(version));
}

/** How `nix build` is told to build a derivation's outputs. */
export async function outputsOf(context: BuildContext, derivation: string): Promise<string> {
  const version = await context.once(NAME, askVersion);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const [fromMajor, fromMinor] = DERIVATION_IS_FILE as [number, number];
  const isFile = major > fromMajor || (major === fromMajor && minor >= fromMinor);
  return isFile ? `${derivation}^*` : derivation;
}

async function askVersion(context: BuildContext): Promise<string> {
  const { stdout } = await context.run(["nix", "--version"], { capture: true });
  return /(\d+\.\d+[\w.]*)\s*$/.exec(stdout)?.[1] ?? "";
}
