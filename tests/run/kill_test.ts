/**
 * Builds that are killed. strace kills the process at its n-th change of the file system, so that
 * the instant is the same whatever the machine's speed.
 */

import { assert, assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { imageOf, TestProject } from "../support/project.ts";
import { randomFrom } from "../support/random.ts";
import { full, toolTest } from "../support/tools.ts";

/** System calls by which a build changes what is on disk. */
const CHANGES = "openat,write,rename,mkdir,unlink,ftruncate,flock";

const NAMES = ["base", "made", "plain", "top"];

const PROJECT = `{
  tasks: {
    make: task({
      inputs: ["source/**"],
      outputs: ["made/**"],
      run: ["sh", "-c", "mkdir -p made && cat source/* > made/all && cp source/number made/"],
    }),
  },
  images: {
    base: files({ layers: [{ from: "source", to: "/srv" }] }),
    top: files({ base: { image: "base" }, layers: [{ from: "more", to: "/more" }] }),
    made: files({ needs: ["make"], layers: [{ from: "made", to: "/made" }] }),
    plain: files({ layers: [{ from: "plain", to: "/a" }, { from: "source", to: "/b" }] }),
  },
}`;

toolTest(
  ["strace"],
  "a killed build leaves no wrong record and no broken layout",
  async () => {
    const random = randomFrom(20_261_124);
    await using project = await TestProject.resident();
    await using reference = await TestProject.resident();
    for (const each of [project, reference]) each.define(PROJECT);
    const kills = full ? 200 : 12;
    let killed = 0;
    for (let round = 0; round < kills; round++) {
      // Half of the rounds go back to sources that were there before.
      const content = Math.floor(random() * Math.max(2, round));
      for (const each of [project, reference]) writeSources(each, content);
      if (await killAfter(project, 1 + Math.floor(random() ** 2 * 160))) killed += 1;
      assertWholeLayout(project.path(".images/oci"));
      const after = await project.json(["build"]);
      const expected = await reference.json(["build"]);
      for (const name of NAMES) {
        const { key, digest, imageId } = imageOf(after, name);
        const other = imageOf(expected, name);
        assertEquals({ key, digest, imageId }, {
          key: other.key,
          digest: other.digest,
          imageId: other.imageId,
        });
      }
      assertWholeLayout(project.path(".images/oci"), NAMES);
    }
    assert(killed >= kills / 2, `only ${killed} of ${kills} builds were killed before their end`);
    await project.json(["build", "--force"]);
    assertEquals(temporaryNames(project.path(".images")), []);
  },
);

function temporaryNames(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    if (name.endsWith(".tmp")) return [`${folder}/${name}`];
    return isDirectory ? temporaryNames(`${folder}/${name}`) : [];
  });
}

function writeSources(project: TestProject, content: number): void {
  project.write({
    "source/number": `${content}\n`,
    "source/large": `${content}`.repeat(300_000),
    "more/file": `more ${content % 3}\n`,
    "plain/file": `plain ${content % 2}\n`,
  });
}

/** Answers whether the build was killed; one with fewer changes comes to its end. */
async function killAfter(project: TestProject, changes: number): Promise<boolean> {
  const inject = `inject=${CHANGES}:signal=SIGKILL:when=${changes}`;
  const strace = ["-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", inject];
  const { code } = await new Deno.Command("strace", {
    args: [...strace, Deno.execPath(), ...project.commandLine("build")],
    cwd: project.root,
    env: project.env,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  return code !== 0;
}

/** Every named image has all its blobs, and every blob is what its name says. */
function assertWholeLayout(layout: string, names: readonly string[] = []): void {
  let index: { manifests: Descriptor[] };
  try {
    index = JSON.parse(Deno.readTextFileSync(`${layout}/index.json`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && names.length === 0) return;
    throw error;
  }
  for (const { name } of Deno.readDirSync(`${layout}/blobs/sha256`)) {
    if (/^[0-9a-f]{64}$/.test(name)) assertEquals(sha256Of(`${layout}/blobs/sha256/${name}`), name);
  }
  const refs = index.manifests.map((each) => each.annotations["org.opencontainers.image.ref.name"]);
  for (const name of names) assert(refs.includes(name), `${name} is not in the layout`);
  for (const { digest } of index.manifests) {
    const manifest = JSON.parse(Deno.readTextFileSync(pathOf(layout, digest)));
    for (const blob of [manifest.config, ...manifest.layers] as Descriptor[]) {
      assertEquals(Deno.statSync(pathOf(layout, blob.digest)).size, blob.size);
    }
  }
}

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations: Record<string, string>;
}

function pathOf(layout: string, digest: string): string {
  return `${layout}/blobs/sha256/${digest.slice("sha256:".length)}`;
}

function sha256Of(path: string): string {
  return createHash("sha256").update(Deno.readFileSync(path)).digest("hex");
}
