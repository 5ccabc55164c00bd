/** Why an evaluation failed; most often a file is missing that git does not track. */

import { Fault } from "../../lib/model/errors.ts";
import { type Repository, repositoryOf, trackedFiles } from "../../lib/files/git_index.ts";
import { exists } from "../../lib/store/state.ts";
import { folderOf } from "./describe.ts";
import type { Question } from "./evaluate.ts";
import { unusableFault } from "./unusable.ts";

/** The most files that are named in one message. */
const NAMED = 5;

/** A path that Nix looked for in its copy of a repository. */
const IN_COPY = /\/nix\/store\/[0-9a-z]{32}-source\/([^\s'"»:]+)/g;

/** What newer versions say themselves. */
const UNTRACKED = /path '([^']+)' in the repository .* is not tracked/gi;

/** The error of an image that Nix could not evaluate, from what it printed. */
export async function evaluationFault(
  { request: { image, context }, installable }: Question,
  lines: readonly string[],
): Promise<Fault> {
  const text = lines.join("\n");
  const unusable = unusableFault(reasonIn(lines), { where: context.name, log: context.logFile });
  if (unusable !== undefined) return unusable;
  const message = `Nix cannot evaluate it: ${reasonIn(lines)}`;
  const where = {
    where: context.name,
    log: context.logFile,
    ...(image.place === undefined ? {} : { place: image.place }),
  };
  const folder = installable.kind === "flake" && !installable.local?.everything
    ? folderOf(installable, context.root)
    : undefined;
  const repository = folder === undefined ? undefined : repositoryOf(folder);
  const unseen = repository === undefined
    ? []
    : unseenIn(text, repository) ?? await untrackedNix(text, repository, context);
  if (unseen.length === 0) {
    return new Fault(message, {
      ...where,
      next: "correct the flake or `installable`; `nix eval` with the same arguments says more",
    });
  }
  const submodule = submoduleOf(unseen, repository!);
  const local = installable.kind === "flake" ? installable.local : undefined;
  if (submodule !== undefined && local?.submodules === false) {
    return new Fault(`${message}. A flake does not see the submodule ${submodule} by itself`, {
      ...where,
      next: "add `?submodules=1` to the reference: `.?submodules=1#name`",
    });
  }
  const more = unseen.length > NAMED ? ` and ${unseen.length - NAMED} more` : "";
  const named = unseen.slice(0, NAMED);
  return new Fault(
    `${message}. A flake sees only what git tracks, and it does not track ${
      named.join(", ")
    }${more}`,
    { ...where, next: `run \`git -C ${repository!.top} add ${named.join(" ")}\`` },
  );
}

/** The last cause that Nix gives is the first one. */
function reasonIn(lines: readonly string[]): string {
  const errors = lines.flatMap((line) => /^\s*error: *(.+)$/.exec(line)?.[1] ?? []);
  return errors.at(-1) ?? lines.findLast((line) => line.trim() !== "") ?? "it says nothing";
}

/** Files that Nix missed although they are there; undefined where it missed none. */
function unseenIn(text: string, repository: Repository): readonly string[] | undefined {
  const missed = [...text.matchAll(IN_COPY), ...text.matchAll(UNTRACKED)].map((match) => match[1]!);
  const tracked = trackedFiles(repository)?.files ?? [];
  const unseen = missed.filter((path) =>
    exists(`${repository.top}/${path}`) &&
    !tracked.some((file) => file === path || file.startsWith(`${path}/`))
  );
  return unseen.length === 0 ? undefined : [...new Set(unseen)].sort();
}

/** The submodule that one of the paths is in, or leads to. */
function submoduleOf(paths: readonly string[], repository: Repository): string | undefined {
  return trackedFiles(repository)?.submodules.find((submodule) =>
    paths.some((path) => `${path}/`.startsWith(`${submodule}/`))
  );
}

/** What Nix does not know by name may be in a file that it was not shown. */
async function untrackedNix(
  text: string,
  { top }: Repository,
  { run }: Question["request"]["context"],
): Promise<readonly string[]> {
  if (!/attribute '.*' missing|does not provide attribute|undefined variable/.test(text)) return [];
  const { code, stdout } = await run(
    ["git", "-C", top, "ls-files", "-z", "--others", "--exclude-standard", "--", "*.nix"],
    { capture: true, allowFailure: true, onLine: () => false },
  ).catch(() => ({ code: 1, stdout: "" }));
  return code === 0 ? stdout.split("\0").filter((path) => path !== "") : [];
}
