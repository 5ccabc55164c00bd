/** Projects whose Dockerfiles real engines build. */

import { hexOf } from "../../lib/model/digest.ts";
import type { LocalImage } from "../../lib/model/image.ts";
import type { Index } from "../../lib/model/oci.ts";
import { openFolder } from "../dockerfile/reference.ts";
import { TestProject } from "../support/project.ts";
import type { Containers } from "../support/real/containers.ts";
import { type DockerEngine, dockerPath } from "../support/real/docker.ts";
import { runTool } from "../support/real/program.ts";

/** Programs that the tests with all engines need. */
export const TOOLS: readonly string[] = [
  ...["buildah", "podman", "runc", "busybox", "umoci"],
  ...(dockerPath() === undefined ? ["dockerd"] : []),
];

/** The engines that RUN is given to, as `--engine` names them. */
export const ENGINES = ["docker", "podman", "buildah"] as const;

/** A base of the graph that needs no engine: busybox with a shell. */
export const BASE = {
  "base/Dockerfile":
    'FROM scratch\nCOPY busybox /bin/busybox\nCOPY sh /bin/sh\nENV PATH=/bin\nCMD ["/bin/sh"]\n',
};

/** The images.ts entry of {@link BASE}. */
export const BASE_ENTRY = 'base: dockerfile({ context: "base" })';

/** Makes a project on {@link BASE}, its commands in the environment of these tools. */
export async function engineProject(
  files: Readonly<Record<string, string>>,
  ...tools: readonly (Containers | DockerEngine)[]
): Promise<TestProject> {
  const project = await TestProject.create({ ...BASE, ...files });
  await Deno.copyFile("/bin/busybox", project.path("base/busybox"));
  await Deno.symlink("busybox", project.path("base/sh"));
  inEnvironmentOf(project, ...tools);
  return project;
}

/** Lets a project's commands find these tools' stores and sockets. */
export function inEnvironmentOf(
  project: TestProject,
  ...tools: readonly (Containers | DockerEngine)[]
): void {
  for (const { env } of tools) Object.assign(project.env, env);
}

/** An image as `.images/oci` has it under its name. */
export function imageIn(project: TestProject, name: string): LocalImage {
  const layout = project.path(".images/oci");
  const index: Index = JSON.parse(Deno.readTextFileSync(`${layout}/index.json`));
  const named = index.manifests.find(({ annotations }) =>
    annotations?.["org.opencontainers.image.ref.name"] === name
  );
  if (named === undefined) throw new Error(`${name} has no name in the layout`);
  const blob = (hex: string) => `${layout}/blobs/sha256/${hex}`;
  return openFolder(blob(hexOf(named.digest)), blob);
}

/** Absolute paths of an image's layers in `.images/oci`, the lowest first. */
export function layersOf(project: TestProject, name: string): string[] {
  return imageIn(project, name).layers.map(({ descriptor }) =>
    `${project.path(".images/oci")}/blobs/sha256/${hexOf(descriptor.digest)}`
  );
}

/** Paths, types, modes, sizes and times of a folder's files, one a line, sorted. */
export async function filesOf(root: string): Promise<string[]> {
  const format = "%P %y %m %s %T@ %l\\n";
  const { stdout } = await runTool(["find", root, "-mindepth", "1", "-printf", format]);
  return stdout.trimEnd().split("\n").map((line) => line.replace(/^(\S+ d \S+) \d+/, "$1")).sort();
}
