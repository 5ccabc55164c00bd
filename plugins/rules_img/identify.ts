/**
 * What goes into a Bazel image. The key has the source closure with the workspace's own files, the
 * variables that can get into actions, and those of the user's own options that can change the
 * result. The guard has what is local: names of all that globs may see, the user's settings, the
 * environment that Bazel itself looks at.
 */

import { relative } from "@std/path";
import { Fault } from "../../lib/model/errors.ts";
import type { Json } from "../../lib/model/json.ts";
import { type BuildRequest, Discovered, type Identity } from "../../lib/model/plugin.ts";
import { hashText } from "../../lib/oci/hash.ts";
import { lockOf, PROGRAMS } from "./bazel/workspace.ts";
import { effectiveOptions, localOptions } from "./closure/options.ts";
import { filesNamedBy, variablesOf } from "./closure/rc.ts";
import { fileSelections, listingSelections } from "./closure/selections.ts";
import { addWithLinks } from "./closure/sources.ts";
import { pulledBases } from "./described.ts";
import { environmentOf } from "./environment.ts";
import { keyOptions, recipeFlags, recipeOf } from "./flags.ts";
import { stampOf } from "./stamp.ts";
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
  return await Promise.all(
    answers.map((answer, at) =>
      answer instanceof Fault ? answer : discovered(requests[at]!, answer)
    ),
  );
}

async function discovered(
  request: BuildRequest,
  { workspace, sources, top, rc, listed, queried, closure }: Surveyed,
): Promise<Discovered> {
  const { description: { undiscovered: _, ...description }, context: { root }, image } = request;
  const effective = effectiveOptions(rc, recipeFlags(request));
  const starlark = [...sources.loaded, ...top.files].filter((path) => path.endsWith(".bzl"));
  const env = environmentOf(effective, closure.labels, new Set(starlark), workspace.path);
  const stamp = await stampOf(effective, workspace.path, request.context);
  const words = [...rc.words, ...recipeOf(request).args ?? []];
  const files = new Set(sources.files);
  for (const path of [...top.files, ...rc.own, ...filesNamedBy(words, workspace.path)]) {
    addWithLinks(files, path, workspace.path);
  }
  return new Discovered({
    ...description,
    options: {
      ...keyOptions(image),
      ...await digestsOf(localOptions(effective, workspace.path)),
      ...(stamp === undefined ? {} : { stamp: stamp.digest }),
    },
    env,
    inputs: fileSelections(root, files),
    remoteBases: pulledBases(queried, closure),
    rewrites: [relative(root, lockOf(workspace))],
    guard: {
      files: [...rc.local, ...stamp?.files ?? []],
      env: [...new Set([...VARIABLES, ...env, ...variablesOf(words)])].sort(),
      tools: PROGRAMS,
      trees: listingSelections(root, listed),
    },
  });
}

/** The user's own options as part of a key: by name, the values as digests for they may be secret. */
async function digestsOf(
  options: ReadonlyMap<string, readonly string[]>,
): Promise<Readonly<Record<string, Json>>> {
  const digests = await Promise.all(
    [...options].map(async ([name, values]) => [name, await hashText(JSON.stringify(values))]),
  );
  return Object.fromEntries(digests);
}
