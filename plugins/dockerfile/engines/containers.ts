/** podman and buildah: two programs over one builder and one kind of store. */

import { hexOf } from "../../../lib/model/digest.ts";
import type { LocalImage } from "../../../lib/model/image.ts";
import { exportImage } from "../../../lib/run/export.ts";
import {
  buildKitArguments,
  type Engine,
  type EngineJob,
  type Probe,
  sharedArguments,
} from "./engine.ts";
import { lackOfBuildah } from "./features.ts";
import { type EngineImage, readFolder } from "./result.ts";
import type { Ended, Tooling } from "./tooling.ts";

/** podman, here or at the other end of a connection. */
export const podman: Engine = {
  name: "podman",
  program: "podman",
  weakCache: true,
  question: () => ["podman", "info", "--format", "{{.Host.BuildahVersion}}"],
  verdict,
  lacks: lackOfBuildah,
  handOver: (image, tooling) =>
    handOver(image, tooling, {
      isThere: ["podman", "image", "exists"],
      take: (archive) => ["podman", "load", "--quiet", "--input", archive],
    }),
  build: (job) =>
    build(job, {
      command: ["podman", "build"],
      save: (id, folder) => [
        ...["podman", "save", "--quiet", "--format", "docker-dir", "--output", folder],
        id,
      ],
    }),
};

/** buildah. */
export const buildah: Engine = {
  name: "buildah",
  program: "buildah",
  weakCache: true,
  question: () => ["buildah", "--version"],
  verdict,
  lacks: lackOfBuildah,
  handOver: (image, tooling) =>
    handOver(image, tooling, {
      isThere: ["buildah", "inspect", "--type", "image"],
      take: (archive) => ["buildah", "pull", "--quiet", `oci-archive:${archive}`],
    }),
  build: (job) =>
    build(job, {
      command: ["buildah", "build"],
      save: (id, folder) => [
        "buildah",
        "push",
        ...["--quiet", "--disable-compression", id, `dir:${folder}`],
      ],
    }),
};

function verdict({ code, stdout, stderr }: Ended): Probe {
  if (code !== 0) {
    return { works: false, why: stderr.at(-1)?.replace(/^Error: /, "") ?? "it does not answer" };
  }
  const [version] = /\d+\.\d+(?:\.\d+)?/.exec(stdout) ?? [];
  return { works: true, ...(version === undefined ? {} : { version }) };
}

/** How one of the programs takes images. */
interface Taking {
  readonly isThere: readonly string[];
  readonly take: (archive: string) => readonly string[];
}

/** In these stores an image's ID is its config's digest, so what is there is found without a name. */
async function handOver(image: LocalImage, tooling: Tooling, { isThere, take }: Taking) {
  const id = hexOf(image.imageId);
  await tooling.once(`${isThere[0]}:${id}`, async (shared) => {
    if ((await shared.ask([...isThere, id])).code === 0) return;
    const archive = await shared.newPath("image.tar");
    const destination = { form: "oci-archive", path: archive } as const;
    const name = `images-${id.slice(0, 12)}`;
    await exportImage(name, [image], destination, shared.context.signal);
    await shared.give(isThere[0]!, image.name, take(archive));
  });
  return { name: id, args: [] };
}

/** How one of the programs builds and gives. */
interface Building {
  readonly command: readonly string[];
  readonly save: (id: string, folder: string) => readonly string[];
}

async function build(job: EngineJob, { command, save }: Building): Promise<EngineImage> {
  const idFile = `${job.out}.id`;
  await job.run([
    ...command,
    // Docker's format holds HEALTHCHECK, SHELL and ONBUILD, which OCI's would lose.
    ...["--format", "docker", "--layers", "--identity-label=false"],
    ...["--iidfile", idFile, "--ignorefile", job.ignoreFile],
    ...sharedArguments(job),
    ...buildKitArguments(job),
    job.context,
  ]);
  const id = (await Deno.readTextFile(idFile)).trim().replace(/^sha256:/, "");
  await job.run(save(id, job.out));
  return await readFolder(job.out);
}
