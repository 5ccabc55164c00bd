/**
 * What goes into a Bazel image. The key has the source closure with the workspace's own files; the
 * guard has what is local: names of all that globs may see, the user's settings, the environment.
 */

import { relative } from "@std/path";
import { Fault } from "../../lib/model/errors.ts";
import { type BuildRequest, Discovered, type Identity } from "../../lib/model/plugin.ts";
import { lockOf, PROGRAMS } from "./bazel/workspace.ts";
import { filesNamedBy, variablesOf } from "./closure/rc.ts";
import { fileSelections, listingSelections } from "./closure/selections.ts";
import { addWithLinks } from "./closure/sources.ts";
import { pulledBases } from "./described.ts";
import { recipeOf } from "./flags.ts";
import { survey, type Surveyed } from "./survey.ts";

/** Variables that Bazel, Bazelisk or actions with the default shell environment look at. */
const VARIABLES = [
  "PATH",
  "LD_LIBRARY_PATH",
  "HOME",
  "USE_BAZEL_VERSION",
  "BAZELISK_BASE_URL",
  "BAZELISK_FORMAT_URL",
  "BAZEL_SH",
  "CC",
  "CXX",
  "JAVA_HOME",
];

/** Asks Bazel what goes into images: one query for all of a workspace. */
export async function identifyAll(
  requests: readonly BuildRequest[],
): Promise<(Identity | Fault)[]> {
  const answers = await survey(requests);
  return answers.map((answer, at) =>
    answer instanceof Fault ? answer : discovered(requests[at]!, answer)
  );
}

function discovered(
  request: BuildRequest,
  { workspace, sources, top, rc, listed, queried, closure }: Surveyed,
): Discovered {
  const { description: { undiscovered: _, ...description }, context: { root } } = request;
  const words = [...rc.words, ...recipeOf(request).args ?? []];
  const files = new Set(sources.files);
  for (const path of [...top.files, ...rc.own, ...filesNamedBy(words, workspace.path)]) {
    addWithLinks(files, path, workspace.path);
  }
  return new Discovered({
    ...description,
    inputs: fileSelections(root, files),
    remoteBases: pulledBases(queried, closure),
    rewrites: [relative(root, lockOf(workspace))],
    guard: {
      files: rc.local,
      env: [...new Set([...VARIABLES, ...variablesOf(words)])].sort(),
      tools: PROGRAMS,
      trees: listingSelections(root, listed),
    },
  });
}
