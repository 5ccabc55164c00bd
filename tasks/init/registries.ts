/** Where a repository's images belong: told by its remote, and by what its CI files name. */

import { publicAddress } from "../../lib/registry/publish/git_facts.ts";
import type { Hints } from "./hints.ts";
import type { Repository } from "./repository.ts";

/** A registry for images.ts. */
export interface FoundRegistry {
  readonly name: string;
  /** e.g. `ghcr.io/acme`. */
  readonly address: string;
}

/** Where images go, and what links them to the repository. */
export interface Publishing {
  readonly registries: readonly FoundRegistry[];
  /** Address of the repository for people. */
  readonly source?: string;
  /** On GitLab, the project that all its images are below. */
  readonly project?: string;
}

/** Finds the registries of a repository. */
export function publishingOf(repository: Repository, hints: Hints): Publishing {
  const source = publicAddress(repository.remote);
  const { hostname = "", pathname = "" } = source === undefined ? {} : new URL(source);
  const path = pathname.split("/").filter((part) => part !== "").map((part) => part.toLowerCase());
  const group = path.slice(0, -1).join("/");
  const github = hostname === "github.com" ? path[0] : ownerIn(hints.text, "ghcr.io");
  const gitlab = hostname === "gitlab.com" ? group : ownerIn(hints.text, "registry.gitlab.com");
  return {
    registries: [
      ...(github ? [{ name: "github", address: `ghcr.io/${github}` }] : []),
      ...(gitlab ? [{ name: "gitlab", address: `registry.gitlab.com/${gitlab}` }] : []),
    ],
    ...(source === undefined ? {} : { source }),
    ...(hostname === "gitlab.com" && path.length > 1 ? { project: path.at(-1)! } : {}),
  };
}

/** Whose images a file names behind a registry's host. */
function ownerIn(text: string, host: string): string | undefined {
  const pattern = new RegExp(
    `(?<![\\w.-])${host.replaceAll(".", "\\.")}/([a-z0-9][a-z0-9._-]*)/`,
    "i",
  );
  return pattern.exec(text)?.[1]?.toLowerCase();
}
