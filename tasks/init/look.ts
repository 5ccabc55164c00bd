/** Everything that `init` finds in a repository. */

import { linkBases } from "./bases.ts";
import { readBakeFiles } from "./bake.ts";
import { bazelImages } from "./bazel.ts";
import { Findings } from "./ci/findings.ts";
import { readWorkflows } from "./ci/github.ts";
import { readPipeline } from "./ci/gitlab.ts";
import { type Candidate, choose, type Component } from "./component.ts";
import { readComposeFiles } from "./compose.ts";
import { dockerfileImages } from "./docker.ts";
import { nixImages } from "./nix.ts";
import { type Publishing, publishingOf } from "./registries.ts";
import type { Repository } from "./repository.ts";
import { readSkaffoldFiles } from "./skaffold.ts";
import { readScripts } from "./scripts.ts";

/** What a repository consists of. */
export interface Overview {
  readonly components: readonly Component[];
  readonly publishing: Publishing;
  /** What was left out, and why. */
  readonly notes: readonly string[];
}

/** Looks through a repository. */
export async function lookThrough(repository: Repository): Promise<Overview> {
  const findings = new Findings();
  readWorkflows(repository, findings);
  readPipeline(repository, findings);
  readComposeFiles(repository, findings);
  await readBakeFiles(repository, findings);
  readSkaffoldFiles(repository, findings);
  readScripts(repository, findings);
  const nix = await nixImages(repository);
  const bazel = bazelImages(repository);
  const { builds, pushed } = findings;
  const docker = dockerfileImages(repository, builds);
  const ours = [...nix.candidates, ...bazel.candidates].map((candidate) =>
    trusted(candidate, findings)
  );
  const chosen = choose([...ours, ...docker.candidates].map((it) => renamed(it, findings)));
  const publishing = publishingOf(repository, builds, pushed);
  const notes = [
    ...findings.notes,
    ...docker.notes,
    ...nix.notes,
    ...bazel.notes,
    ...publishing.notes,
  ];
  return {
    components: linkBases(chosen, docker.scripts),
    publishing,
    notes: [...new Set(notes)].map((note) => note.replaceAll("\0", "")),
  };
}

/** An output or a target that a script of CI names is what CI builds. */
function trusted(candidate: Candidate, { texts }: Findings): Candidate {
  const { installable, target } = candidate.options;
  const words = [installable, target].flatMap((each) =>
    typeof each === "string" ? [each.replace(/^.*#/, "#").replaceAll('"', "")] : []
  );
  const isNamed = texts.some((text) => words.some((word) => namesWord(text, word)));
  return isNamed ? { ...candidate, trust: "ci" } : candidate;
}

function namesWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!/[\w-]/.test(text[at + word.length] ?? "")) return true;
  }
  return false;
}

/** Adds the references that an image is given after it was built. */
function renamed(candidate: Candidate, { renamed }: Findings): Candidate {
  const more = renamed.filter(([from]) => candidate.references.includes(from)).map(([, to]) => to);
  if (more.length === 0) return candidate;
  return { ...candidate, references: [...candidate.references, ...more] };
}
