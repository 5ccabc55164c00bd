/** Publishing through a push target: `bazel run` of it, told where to push to. */

import { type Digest, isDigest } from "../../lib/model/digest.ts";
import { Fault } from "../../lib/model/errors.ts";
import type { PublishRequest } from "../../lib/model/plugin.ts";
import { DOCKER_HUB } from "../../lib/model/reference.ts";
import { withLogOf } from "../../lib/run/faults.ts";
import { type BazelEnd, runBazel } from "./bazel/command.ts";
import { faultOfEnd, faultOfError } from "./bazel/faults.ts";
import { formatLabel, parseTarget } from "./bazel/label.ts";
import { workspaceOf } from "./bazel/workspace.ts";
import { recipeFlags, recipeOf } from "./flags.ts";

/**
 * Pushes with a push target; its standard output has a reference a line.
 *
 * @see https://github.com/bazel-contrib/rules_img/blob/main/docs/push.md
 */
export async function publish(request: PublishRequest, label: string): Promise<Digest> {
  const { image, host, repository, tag, insecure, context } = request;
  const registry = host === DOCKER_HUB ? "index.docker.io" : host;
  const references: string[] = [];
  let last = "";
  const end = await runBazel({
    workspace: workspaceOf(context.root, recipeOf({ image })),
    args: [
      "run",
      ...recipeFlags({ image }),
      "--symlink_prefix=/",
      "--noshow_progress",
      formatLabel(parseTarget(label)!),
      "--",
      `--registry=${registry}`,
      `--repository=${repository}`,
      `--tag=${tag}`,
    ],
    ...(insecure ? { env: { IMG_INSECURE: "1" } } : {}),
    signal: context.signal,
    log: (line) => {
      last = line;
      context.log(line);
    },
    onResult: (line) => references.push(line.trim()),
    where: context.name,
  }, context.once);
  if (end.code !== 0) throw withLogOf(faultOfPush(end, label, last, request), context.logFile);
  const prefix = `${registry}/${repository}@`;
  const digest = references.find((reference) => reference.startsWith(prefix))
    ?.slice(prefix.length);
  if (isDigest(digest)) return digest;
  throw new Fault(`${label} does not say what it pushed to ${host}/${repository}`, {
    where: context.name,
    next: "let `push` name an image_push target of rules_img, or leave it out",
  });
}

function faultOfPush(
  end: BazelEnd,
  label: string,
  last: string,
  { context: { root, name } }: PublishRequest,
): Fault {
  const [error] = end.errors;
  if (error !== undefined && end.code === 1) return faultOfError(error, root, name);
  if (error !== undefined) return faultOfEnd(end, root, name);
  return new Fault(`${label} ended with status ${end.code}: ${last}`, {
    where: name,
    next: "give the tool credentials (Docker's config or a credential helper), or push natively",
  });
}
