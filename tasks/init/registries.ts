/** Where a repository's images belong: told by its remote, and by what its files build them as. */

import { isRepository } from "../../lib/model/reference.ts";
import { publicAddress } from "../../lib/registry/publish/git_facts.ts";
import type { BuildEvidence } from "./evidence.ts";
import { type Component, nameOf } from "./component.ts";
import { type ImageName, imageNameOf } from "./references.ts";
import type { Repository } from "./repository.ts";

/** A registry for images.ts. */
export interface FoundRegistry {
  readonly name: string;
  /** e.g. `ghcr.io/acme`. */
  readonly address: string;
  readonly visibility: "public" | "private";
}

/** Where images go, and what links them to the repository. */
export interface Publishing {
  readonly registries: readonly FoundRegistry[];
  /** Address of the repository for people. */
  readonly source?: string;
  /** On GitLab, the project that all its images are below. */
  readonly project?: string;
  readonly notes: readonly string[];
}

/** Registries whose packages anybody can read, unless their owner says otherwise. */
const PUBLIC = new Set(["ghcr.io", "docker.io", "quay.io", "public.ecr.aws"]);

/** What well-known registries are called in images.ts. */
const NAMES: Readonly<Record<string, string>> = {
  "ghcr.io": "github",
  "registry.gitlab.com": "gitlab",
  "docker.io": "dockerhub",
  "quay.io": "quay",
};

/** Finds the registries of a repository: where its images go, not where others come from. */
export function publishingOf(
  repository: Repository,
  builds: readonly BuildEvidence[],
  pushed: readonly string[],
): Publishing {
  const source = publicAddress(repository.remote);
  const { host } = repository;
  const owner = repository.owner?.toLowerCase();
  const registries = new Map<string, FoundRegistry>();
  const notes = new Set<string>();
  const add = (registry: string, prefix: string) => {
    const address = prefix === "" ? registry : `${registry}/${prefix}`;
    const present = registries.get(registry);
    if (present !== undefined) {
      if (!`${address}/`.startsWith(`${present.address}/`)) {
        notes.add(
          `images also go to ${address}; images.ts names one place of a registry, ${present.address}`,
        );
      }
      return;
    }
    registries.set(registry, {
      name: freeName(registry, [...registries.values()].map(({ name }) => name)),
      address,
      visibility: PUBLIC.has(registry) ? "public" : "private",
    });
  };
  if (host === "github.com" && owner !== undefined) add("ghcr.io", owner.split("/")[0]!);
  if (host === "gitlab.com" && owner !== undefined) add("registry.gitlab.com", owner);
  for (const { registry, path } of destinations(builds, pushed)) {
    const parts = path.split("/");
    if (parts.length < 2 || parts[0] === "library") continue;
    add(registry, NAMES[registry] === undefined ? parts.slice(0, -1).join("/") : parts[0]!);
  }
  const path = source === undefined ? [] : new URL(source).pathname.toLowerCase().split("/");
  return {
    registries: [...registries.values()],
    ...(source === undefined ? {} : { source }),
    ...(host === "gitlab.com" && path.length > 2 ? { project: path.at(-1)! } : {}),
    notes: [...notes],
  };
}

function* destinations(
  builds: readonly BuildEvidence[],
  pushed: readonly string[],
): Generator<{ readonly registry: string; readonly path: string }> {
  const isThere = (name: ImageName) =>
    pushedNames.some(({ path, host }) => path === name.path && host === name.host);
  const pushedNames = pushed.flatMap((reference) => imageNameOf(reference) ?? []);
  const built = builds.flatMap(({ references, pushes }) =>
    references.flatMap((reference) => {
      const name = imageNameOf(reference);
      if (name === undefined) return [];
      return name.host !== undefined || pushes || isThere(name) ? [name] : [];
    })
  );
  for (const { host = "docker.io", path } of [...built, ...pushedNames]) {
    const isLocal = !host.includes(".") || /^(?:127\.|localhost)|\.local(?::|$)/.test(host);
    if (!isLocal) yield { registry: host, path };
  }
}

function freeName(registry: string, taken: readonly string[]): string {
  const first = registry.split(".").filter((part) => part !== "registry")[0] ?? registry;
  const name = NAMES[registry] ?? nameOf(first) ?? "registry";
  let free = name;
  for (let count = 2; taken.includes(free); count++) free = `${name}-${count}`;
  return free;
}

/** Repositories that are not the image's name: as CI has them, or below GitLab's project. */
export function repositoriesOf(
  components: readonly Component[],
  { registries, project }: Publishing,
): Map<string, string> {
  const chosen = new Map<string, string>();
  const taken = new Set<string>();
  for (const { name, references, isNameShared } of components) {
    const usual = project === undefined ? name : `${project}/${name}`;
    const published = (isNameShared ? [] : references).map((reference) =>
      repositoryIn(reference, registries)
    )
      .find((each) => each !== undefined && !taken.has(each)) ?? usual;
    const repository = taken.has(published) ? usual : published;
    taken.add(repository);
    if (repository !== name) chosen.set(name, repository);
  }
  return chosen;
}

/** A reference's repository below the registry that holds it. */
function repositoryIn(
  reference: string,
  registries: readonly FoundRegistry[],
): string | undefined {
  const name = imageNameOf(reference);
  if (name === undefined) return undefined;
  const whole = `${name.host ?? "docker.io"}/${name.path}`;
  const found = registries.find(({ address }) => whole.startsWith(`${address}/`));
  const rest = found === undefined ? undefined : whole.slice(found.address.length + 1);
  return rest !== undefined && isRepository(rest) ? rest : undefined;
}
