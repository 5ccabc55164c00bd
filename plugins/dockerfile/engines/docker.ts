/** Docker: with buildx (BuildKit, here or wherever a builder is), and its classic builder. */

import { hexOf } from "../../../lib/model/digest.ts";
import type { LocalImage } from "../../../lib/model/image.ts";
import { exportImage } from "../../../lib/run/export.ts";
import {
  buildKitArguments,
  type Engine,
  type EngineJob,
  type HandedOver,
  sharedArguments,
} from "./engine.ts";
import { buildKitInDocker, lackOfBuildKit } from "./features.ts";
import { type EngineImage, readArchive, readLayout } from "./result.ts";
import type { Tooling } from "./tooling.ts";

/** A builder that is the Docker engine itself. */
const DOCKER_DRIVER = /^Driver: +docker$/m;

/** docker buildx, with the builder that is chosen by `--builder`, `BUILDX_BUILDER` or docker itself. */
export const buildx: Engine = {
  name: "docker buildx",
  program: "docker",
  weakCache: false,
  question: (builder) => [
    ...["docker", "buildx", "inspect"],
    ...(builder === undefined ? [] : [builder]),
  ],
  verdict({ code, stdout, stderr }) {
    if (code !== 0) return { works: false, why: firstWords(stderr) };
    // A builder that cannot be reached is described all the same.
    const error = /^Error: +(.*)$/m.exec(stdout);
    if (error !== null) return { works: false, why: error[1]! };
    const version = buildKitVersion(stdout);
    return { works: true, ...(version === undefined ? {} : { version }) };
  },
  async version(tooling) {
    const { stdout } = await tooling.askOnce(buildx.question(tooling.context.overrides.builder));
    if (DOCKER_DRIVER.exec(stdout) === null) return undefined;
    const { code, stdout: docker } = await tooling.askOnce(classic.question());
    return code === 0 ? buildKitInDocker(docker.trim()) : undefined;
  },
  lacks: lackOfBuildKit,
  async handOver(image, tooling) {
    if (!await keepsImagesAsOci(tooling)) return await load(image, tooling);
    const folder = await tooling.newPath("image");
    const destination = { form: "oci", path: folder } as const;
    await exportImage(image.name, [image], destination, tooling.context.signal);
    const name = `images-${hexOf(image.imageId).slice(0, 32)}`;
    const source = `${name}=oci-layout://${folder}@${image.manifestDigest}`;
    return { name, args: ["--build-context", source] };
  },
  async build(job, tooling) {
    const { builder } = tooling.context.overrides;
    const command = [
      ...["docker", "buildx", "build", "--progress", "plain"],
      ...(builder === undefined ? [] : ["--builder", builder]),
      // Provenance tells of the run, so that no two results would be the same.
      ...["--provenance=false", "--sbom=false"],
      ...sharedArguments(job),
      ...buildKitArguments(job),
    ];
    if (await keepsImagesAsOci(tooling)) {
      const output = `type=oci,dest=${job.out},tar=false,compression=uncompressed`;
      await job.run([...command, "--output", output, job.context]);
      return await readLayout(job.out);
    }
    const idFile = `${job.out}.id`;
    await job.run([...command, "--load", "--iidfile", idFile, job.context]);
    return await saved(idFile, job);
  },
};

/** Docker without buildx: what it lacks is refused before it is tried. */
export const classic: Engine = {
  name: "docker",
  program: "docker",
  weakCache: true,
  question: () => ["docker", "version", "--format", "{{.Server.Version}}"],
  verdict({ code, stdout, stderr }) {
    const version = stdout.trim();
    if (code === 0) return { works: true, ...(version === "" ? {} : { version }) };
    return { works: false, why: firstWords(stderr) };
  },
  lacks([demand]) {
    return demand && { demand, remedy: "install docker buildx" };
  },
  handOver: load,
  async build(job) {
    const idFile = `${job.out}.id`;
    const command = ["docker", "build", "--iidfile", idFile, ...sharedArguments(job), job.context];
    await job.run(command, { DOCKER_BUILDKIT: "0" });
    return await saved(idFile, job);
  },
};

/** Gives an image to the engine's own store, under a name that only this build uses. */
async function load(image: LocalImage, tooling: Tooling): Promise<HandedOver> {
  const name = `images-hand-over/${hexOf(image.imageId).slice(0, 32)}`;
  await tooling.once(`docker:${name}`, async (shared) => {
    const archive = await shared.newPath("image.tar");
    const destination = { form: "docker-archive", path: archive } as const;
    await exportImage(name, [image], destination, shared.context.signal);
    await shared.give("docker", image.name, ["docker", "load", "--quiet", "--input", archive]);
  });
  return { name: `${name}:latest`, args: [] };
}

/**
 * Says whether a builder can read and write OCI itself: all can, except a Docker engine that keeps images in
 * its classic store, which has to be asked for the image afterwards.
 */
async function keepsImagesAsOci(tooling: Tooling): Promise<boolean> {
  const { stdout } = await tooling.askOnce(buildx.question(tooling.context.overrides.builder));
  if (DOCKER_DRIVER.exec(stdout) === null) return true;
  return /worker\.(?:containerd\.namespace|snapshotter):/.test(stdout);
}

async function saved(idFile: string, job: EngineJob): Promise<EngineImage> {
  const id = (await Deno.readTextFile(idFile)).trim();
  const archive = `${job.out}.tar`;
  await job.run(["docker", "save", "--output", archive, id]);
  await Deno.mkdir(job.out);
  return await readArchive(archive, job.out);
}

/** What a builder's description says; builds of distributions may not tell. */
function buildKitVersion(description: string): string | undefined {
  const [, version] = /^BuildKit(?: version)?: +v?(\d+\.\d+\S*)/mi.exec(description) ?? [];
  return version === undefined || version.startsWith("0.0.") ? undefined : version;
}

function firstWords(lines: readonly string[]): string {
  const [line = "it does not answer"] = lines;
  return line.replace(/^(?:ERROR|Error|docker): */, "").replace(/\.$/, "");
}
