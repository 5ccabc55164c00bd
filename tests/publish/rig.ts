/** What tests of publishing share: projects with registries, and a look at what those hold. */

import type { DestinationResult, ResultDocument } from "../../lib/model/result.ts";
import { MediaType } from "../../lib/model/oci.ts";
import { isNoteTag } from "../../lib/registry/publish/tag_notes.ts";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";

/** Declared registries: name → address, and options as they are written in images.ts. */
export type Registries = Readonly<Record<string, string | readonly [string, string]>>;

/** The programs these tests need. */
export const TOOLS: readonly string[] = ["docker-registry", "skopeo"];

const SITE_FILES = {
  "site/index.html": "<h1>hello</h1>\n",
  "site/style.css": "h1 { color: red }\n",
  "app/run.sh": "#!/bin/sh\necho hi\n",
  "Dockerfile": 'FROM scratch\nCOPY app /app\nENTRYPOINT ["/app/run.sh"]\n',
};

const SITE_IMAGES = `{
  site: files({ layers: [{ from: "site", to: "/srv" }], cmd: ["/serve"] }),
  app: dockerfile({ expect: { files: ["/app/run.sh"] } }),
  top: files({ base: { image: "site" }, layers: [{ from: "app", to: "/app" }] }),
}`;

/** A project of three images that are built natively: two alone, and one on another. */
export async function siteProject(registries: Registries): Promise<TestProject> {
  const project = await TestProject.resident(SITE_FILES);
  declare(project, registries, SITE_IMAGES);
  return project;
}

/** Writes images.ts; an address stands for a private registry. */
export function declare(
  project: TestProject,
  registries: Registries,
  images: string,
  more = "",
): void {
  const declared = Object.entries(registries).map(([name, value]) => {
    const [address, options] = typeof value === "string" ? [value, "{}"] : value;
    return `${JSON.stringify(name)}: registry("${address}", ${options})`;
  });
  project.define(`{ registries: { ${declared.join(", ")} }, images: ${images}, ${more} }`);
}

/** The same files elsewhere, with nothing built. */
export async function cloneOf(project: TestProject): Promise<TestProject> {
  const clone = await TestProject.resident();
  await runTool(["cp", "-r", `${project.root}/.`, clone.root]);
  await runTool(["rm", "-rf", clone.path(".images")]);
  Object.assign(clone.env, project.env);
  return clone;
}

/** Image → destination status by tag; a content tag is called `content`. */
export function outcomes(document: ResultDocument): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  for (const { name, platform, destinations } of document.images) {
    if (destinations === undefined) continue;
    const id = found[name] === undefined ? name : `${name}@${platform}`;
    found[id] = Object.fromEntries(destinations.map((each) => [tagOf(each), each.status]));
  }
  return found;
}

function tagOf({ reference }: DestinationResult): string {
  const tag = /:([^:/]+)$/.exec(reference)?.[1] ?? "";
  return tag.replace(/^content-(pr-)?[0-9a-f]{32}$/, "content");
}

/** Tag → digest of every image a repository holds; the notes on its mutable tags are none. */
export async function tagsIn(host: string, repository: string): Promise<Record<string, string>> {
  const response = await fetch(`http://${host}/v2/${repository}/tags/list`);
  if (response.status === 404) {
    await response.body?.cancel();
    return {};
  }
  const { tags } = await response.json() as { tags: string[] | null };
  const digests: Record<string, string> = {};
  for (const tag of (tags ?? []).filter((each) => !isNoteTag(each)).sort()) {
    digests[tag] = (await manifestOf(host, repository, tag)).digest;
  }
  return digests;
}

/** A published manifest or index. */
// deno-lint-ignore no-explicit-any
export type PublishedDocument = { readonly digest: string; readonly json: any };

/** The manifest or index under a tag or digest. */
export async function manifestOf(
  host: string,
  repository: string,
  reference: string,
): Promise<PublishedDocument> {
  const response = await fetch(`http://${host}/v2/${repository}/manifests/${reference}`, {
    headers: { accept: `${MediaType.manifest}, ${MediaType.index}` },
  });
  const json = await response.json();
  if (!response.ok) throw new Error(`${reference}: ${JSON.stringify(json)}`);
  return { digest: response.headers.get("docker-content-digest") ?? "", json };
}

/** What skopeo says of a published image. */
// deno-lint-ignore no-explicit-any
export async function inspect(reference: string, ...options: string[]): Promise<any> {
  const { stdout } = await runTool([
    ...["skopeo", "inspect", "--tls-verify=false", ...options],
    `docker://${reference}`,
  ]);
  return JSON.parse(stdout);
}

/** A git repository of a project: every change is a commit. */
export class Git {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder a repository. */
  static async init(folder: string): Promise<Git> {
    const git = new Git(folder);
    await git.run("init", "-q", "-b", "main");
    await git.run("config", "uploadpack.allowFilter", "true");
    return git;
  }

  /** Runs git; answers with what it printed. */
  async run(...args: string[]): Promise<string> {
    const identity = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
    const { stdout } = await runTool(["git", "-C", this.#folder, ...identity, ...args]);
    return stdout.trim();
  }

  /** Commits everything but what is built; answers with the commit. */
  async commit(message = "change"): Promise<string> {
    await this.run("add", "-A");
    await this.run("commit", "-q", "--allow-empty", "-m", message);
    return await this.run("rev-parse", "HEAD");
  }
}
