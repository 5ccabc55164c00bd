/** One COPY of 5,000 files, 196 MB: here, with buildah, with docker buildx, and `tar | sha256sum`. */

import { TestProject } from "../support/project.ts";
import { containers } from "../support/real/containers.ts";
import { dockerPath, startDocker } from "../support/real/docker.ts";
import { runTool } from "../support/real/program.ts";
import { hasTool } from "../support/tools.ts";
import { benchOnce, compare, type Contender, ROUNDS, show } from "./ratios.ts";

const FILES = 5_000;
const BYTES = 196_000_000;

benchOnce("one COPY of 5,000 files, 196 MB", run);

async function run(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const project = stack.use(
    await TestProject.create({
      "app/Dockerfile": "FROM scratch\nCOPY files /files\n",
    }),
  );
  writeFiles(project.path("app/files"));
  project.define('{ images: { app: dockerfile({ context: "app" }) } }');
  const app = project.path("app");

  const here: Contender = {
    name: "images build",
    command: [Deno.execPath(), ...project.commandLine("build", "app", "--quiet")],
    cwd: project.root,
    env: { NO_COLOR: "1" },
  };
  const clean = async () => {
    await Deno.remove(project.path(".images"), { recursive: true }).catch(() => {});
  };
  const hashed = ["sh", "-c", `tar -C ${app} -cf - files | sha256sum`];
  const cold: Contender[] = [
    { name: "tar | sha256sum", command: hashed },
    { ...here, prepare: clean },
  ];
  const again: Contender[] = [];

  if (dockerPath() !== undefined) {
    const docker = stack.use(await startDocker());
    // Into the engine's own store, as people do: an archive would be written again without need.
    const command = [
      "docker",
      "buildx",
      "build",
      "--quiet",
      "--provenance=false",
      "-t",
      "app",
      app,
    ];
    const prune = async () => {
      await runTool(["docker", "image", "rm", "--force", "app"], { ...docker, allowFailure: true });
      await runTool(["docker", "buildx", "prune", "--all", "--force"], docker);
    };
    cold.push({ name: "docker buildx", command, env: docker.env, prepare: prune });
    again.push({ name: "docker buildx", command, env: docker.env });
  }
  again.push(here);
  if (hasTool("buildah")) {
    const store = stack.use(await containers());
    const command = ["buildah", "bud", "--quiet", "--layers", app];
    const empty = async () => {
      await runTool(["buildah", "rmi", "--all", "--force"], store);
    };
    cold.push({ name: "buildah", command, env: store.env, prepare: empty });
    again.push({ name: "buildah", command, env: store.env });
  }
  show("cold", await compare(cold, ROUNDS));
  show("again, nothing changed", await compare(again, ROUNDS));
}

/** Files whose contents do not compress, in 50 folders; the same ones in each run. */
function writeFiles(root: string): void {
  const size = Math.floor(BYTES / FILES);
  const bytes = new Uint8Array(size);
  let state = 1;
  const next = () => state = Math.imul(state, 1664525) + 1013904223 >>> 0;
  const words = new Uint32Array(bytes.buffer, 0, Math.floor(size / 4));
  for (let at = 0; at < words.length; at++) words[at] = next();
  for (let file = 0; file < FILES; file++) {
    const folder = `${root}/${file % 50}`;
    if (file < 50) Deno.mkdirSync(folder, { recursive: true });
    words[0] = next();
    Deno.writeFileSync(`${folder}/${file}`, bytes);
  }
}
