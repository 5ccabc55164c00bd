/** What decides a flake's image, as far as that can be told without asking Nix. */

import { configFiles, headCommit, type Repository } from "../../lib/files/git_index.ts";
import type { Json } from "../../lib/model/json.ts";
import type { SourceKeyParts } from "../../lib/model/plugin.ts";
import type { Selection } from "../../lib/model/selection.ts";
import { exists } from "../../lib/store/state.ts";
import { convertsByConfig, readsElsewhere, userConverts } from "./git_settings.ts";
import { type Installable, isLocked } from "./installable.ts";
import { mentions } from "./mentions.ts";
import { isDecidedByFiles } from "./nix_args.ts";

/** A setting of Nix with which an evaluation may read anything. */
const IMPURE_SETTING = /\bpure-eval\b/;

/** What is known of an image whose sources may decide it. */
export interface FlakeSource {
  readonly installable: Installable;
  readonly args: readonly string[];
  /** The files that git tracks, by repository. */
  readonly inputs: readonly Selection[];
  readonly repositories: readonly Repository[];
  /** Another commit of the same files may evaluate otherwise. */
  readonly changesWithCommit: boolean;
  /** There while the image must be evaluated on every run. */
  readonly alwaysFile: string;
  /** Files of Nix's configuration, absolute. */
  readonly configuration: readonly string[];
}

/** Names what decides an image; undefined where something on this machine may decide too. */
export function sourceKeyParts(flake: FlakeSource): SourceKeyParts | undefined {
  const { installable, args, inputs, repositories } = flake;
  if (installable.kind !== "flake" || !isDecidedByFiles(args)) return undefined;
  if (exists(flake.alwaysFile) || isImpureHere(flake) || readsElsewhere()) return undefined;
  if (installable.local === undefined && !isLocked(installable.reference)) return undefined;
  // Everything in a folder would count, also what no clone has.
  if (installable.local !== undefined && repositories.length === 0) return undefined;
  const commits = flake.changesWithCommit ? commitsOf(repositories) : [];
  if (commits === undefined) return undefined;
  const files = inputs.map((each) => ({ ...each, takes: "files" as const }));
  return { inputs: files, committed: files, facts: { args, commits } as Json };
}

function isImpureHere({ configuration }: FlakeSource): boolean {
  return IMPURE_SETTING.test(Deno.env.get("NIX_CONFIG") ?? "") ||
    configuration.some((path) => mentions(path, IMPURE_SETTING));
}

/** The commits that an evaluation may read; undefined where the user's git decides what they hold. */
function commitsOf(repositories: readonly Repository[]): readonly string[] | undefined {
  if (userConverts()) return undefined;
  if (repositories.flatMap(configFiles).some(convertsByConfig)) return undefined;
  const commits = repositories.map(headCommit);
  return commits.every((each) => each !== undefined) ? commits : undefined;
}
