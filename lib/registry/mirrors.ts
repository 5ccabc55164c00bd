/**
 * Where base images are had from in place of what their references say: `registries.conf` of podman,
 * buildah and skopeo.
 *
 * @see containers-registries.conf(5), containers-registries.conf.d(5)
 */

import { Fault } from "../model/errors.ts";
import { isRegistryHost, isRepository } from "../model/reference.ts";
import { readRegularText } from "../util/regular_file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** A repository of a host, where an image may be had from. */
export interface Location {
  readonly host: string;
  readonly repository: string;
  /** Plain http is allowed. */
  readonly insecure: boolean;
}

/** What a file says of a host, or of a path on it. */
interface Rule {
  /** e.g. `docker.io`, `quay.io/org` or `*.example.com`. */
  readonly prefix: string;
  readonly location: Place;
  readonly mirrors: readonly (Place & { readonly for: "all" | "digest-only" | "tag-only" })[];
  readonly blocked: boolean;
}

interface Place {
  /** Host and path; empty where only the mirrors matter. */
  readonly location: string;
  readonly insecure: boolean;
}

/** The rules of a machine. */
export class Mirrors {
  readonly #rules: readonly Rule[];

  private constructor(rules: readonly Rule[]) {
    this.#rules = rules;
  }

  /**
   * Reads the files that apply.
   *
   * @throws {Fault} when one cannot be read.
   */
  static async load(env: Environment): Promise<Mirrors> {
    const rules = new Map<string, Rule>();
    for (const path of configFiles(env)) {
      for (const rule of await rulesIn(path)) rules.set(rule.prefix, rule);
    }
    return new Mirrors([...rules.values()]);
  }

  /**
   * Where a repository's images are to be had, the first to be asked first.
   *
   * @param byDigest whether the image is named by its digest: some mirrors are asked for no tags.
   * @throws {Fault} where images must not be had from there.
   */
  locations(host: string, repository: string, byDigest: boolean): Location[] {
    const name = `${host}/${repository}`;
    const rule = this.#rules.filter(({ prefix }) => matched(prefix, name) !== undefined)
      .sort((a, b) => b.prefix.length - a.prefix.length)[0];
    if (rule === undefined) return [{ host, repository, insecure: false }];
    if (rule.blocked) {
      throw new Fault("registries.conf blocks images from here", {
        where: name,
        next: "take the image from elsewhere, or correct registries.conf",
      });
    }
    const rest = name.slice(matched(rule.prefix, name)!.length);
    const wanted = byDigest ? "digest-only" : "tag-only";
    const mirrors = rule.mirrors.filter((mirror) => mirror.for === "all" || mirror.for === wanted);
    return [...mirrors, rule.location].map(({ location, insecure }) => {
      const place = location === "" ? name : location + rest;
      const slash = place.indexOf("/");
      const found = { host: place.slice(0, slash), repository: place.slice(slash + 1), insecure };
      if (isRegistryHost(found.host) && isRepository(found.repository)) return found;
      throw new Fault(`registries.conf sends ${name} to "${place}", which is no host with a path`, {
        where: name,
        next: "correct the location in registries.conf",
      });
    });
  }
}

/** The part of a name that a prefix stands for; it ends where a component ends. */
function matched(prefix: string, name: string): string | undefined {
  if (prefix.startsWith("*.")) {
    const host = name.slice(0, name.indexOf("/"));
    return host.endsWith(prefix.slice(1)) ? host : undefined;
  }
  return name === prefix || name.startsWith(`${prefix}/`) ? prefix : undefined;
}

/** The user's own file stands in the place of the machine's; files in folders come on top. */
function configFiles(env: Environment): string[] {
  const own = env.HOME ? `${env.HOME}/.config/containers/registries.conf` : undefined;
  const system = "/etc/containers/registries.conf";
  const named = env.CONTAINERS_REGISTRIES_CONF;
  const hasOwn = !named && own !== undefined && isThere(own);
  const main = named || (hasOwn ? own : system);
  const folders = [...(hasOwn ? [] : [`${system}.d`]), ...(own === undefined ? [] : [`${own}.d`])];
  return [main, ...folders.flatMap(filesIn)].filter(isThere);
}

function filesIn(folder: string): string[] {
  if (!isThere(folder)) return [];
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
  return names.filter((name) => name.endsWith(".conf")).sort().map((name) => `${folder}/${name}`);
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

async function rulesIn(path: string): Promise<Rule[]> {
  const text = readRegularText(path);
  // The files of most machines say nothing; the parser is imported for those that do.
  if (!/^\s*\[\[\s*["']?registry["']?\s*\]\]/m.test(text)) return [];
  const { parse } = await import("smol-toml");
  try {
    const { registry } = parse(text);
    return (registry as unknown[]).map(ruleOf);
  } catch (cause) {
    throw new Fault(`Cannot read ${path}: ${(cause as Error).message.split("\n")[0]}`, {
      where: path,
      next: "correct the file; containers-registries.conf(5) describes it",
      cause,
    });
  }
}

function ruleOf(entry: unknown): Rule {
  const table = entry as Record<string, unknown>;
  const place = placeOf(table);
  const prefix = typeof table.prefix === "string" && table.prefix !== "" ? table.prefix : undefined;
  if (prefix === undefined && place.location === "") {
    throw new Error("a registry has neither prefix nor location");
  }
  const onlyDigests = table["mirror-by-digest-only"] === true;
  const mirrors = Array.isArray(table.mirror) ? table.mirror : [];
  return {
    prefix: prefix ?? place.location,
    location: place,
    blocked: table.blocked === true,
    mirrors: mirrors.map((mirror) => {
      const pull = mirror["pull-from-mirror"];
      const kind = pull === "digest-only" || pull === "tag-only" ? pull : "all";
      return { ...placeOf(mirror), for: onlyDigests ? "digest-only" as const : kind };
    }),
  };
}

function placeOf({ location, insecure }: Record<string, unknown>): Place {
  return {
    location: typeof location === "string" ? location.replace(/\/$/, "") : "",
    insecure: insecure === true,
  };
}
