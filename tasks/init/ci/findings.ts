/** What is collected from the files that describe builds. */

import type { BakeCall, ScriptFindings } from "../commands.ts";
import { type BuildEvidence, readBuild, type WrittenBuild } from "../evidence.ts";

/** Evidence of builds, and what people should know of it. */
export class Findings {
  readonly builds: BuildEvidence[] = [];
  /** References that are uploaded by commands of their own. */
  readonly pushed: string[] = [];
  readonly renamed: (readonly [string, string])[] = [];
  readonly bakes: (BakeCall & { readonly source: string })[] = [];
  readonly notes = new Set<string>();
  /** Texts of scripts and steps, in which Nix outputs and Bazel targets may be named. */
  readonly texts: string[] = [];

  /** Adds a build, or a note where it is not understood. */
  add(written: WrittenBuild): void {
    const build = readBuild(written);
    if (typeof build === "string") this.notes.add(`${written.source}: ${build}`);
    else this.builds.push(build);
  }

  /** Adds what a script does. */
  addScript(script: ScriptFindings, source: string): void {
    for (const written of script.builds) this.add(written);
    this.pushed.push(...script.pushed);
    this.renamed.push(...script.renamed);
    this.bakes.push(...script.bakes.map((call) => ({ ...call, source })));
  }
}
