/** A Docker engine with a store of its own. */

import { startServer } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** A running engine. */
export interface DockerEngine extends AsyncDisposable {
  /** What `docker` needs in its environment to talk to this engine, buildx included. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of its unix socket. */
  readonly socket: string;
  /** Process id of `dockerd`. */
  readonly pid: number;
  /** Ends the engine and leaves its store, as a crash between two builds does. */
  stop(signal?: Deno.Signal): Promise<void>;
}

/**
 * The folder that `.ci/docker` unpacks the engine into, for `PATH`; undefined where it is not there.
 */
export function dockerPath(): string | undefined {
  const home = Deno.env.get("HOME") ?? "/root";
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${home}/.cache`;
  const usr = `${cache}/images-ci/docker/usr`;
  try {
    Deno.statSync(`${usr}/sbin/dockerd`);
    return `${usr}/sbin:${usr}/bin`;
  } catch {
    return undefined;
  }
}

/**
 * Starts an engine without network bridges, as root.
 *
 * @param mirror Base URL that stands in for Docker Hub, e.g. `http://127.0.0.1:5000`.
 * @param store where it keeps images: containerd's store knows OCI, Docker's own does not.
 */
export async function startDocker(
  mirror?: string,
  store: "containerd" | "own" = "containerd",
): Promise<DockerEngine> {
  const unpacked = dockerPath();
  const path = [unpacked, Deno.env.get("PATH")].filter(Boolean).join(":");
  const folder = await tempFolder("docker");
  const socket = `${folder.path}/docker.sock`;
  await Deno.writeTextFile(
    `${folder.path}/daemon.json`,
    JSON.stringify({
      "bridge": "none",
      "iptables": false,
      "ip6tables": false,
      "features": { "buildkit": true, "containerd-snapshotter": store === "containerd" },
      "data-root": `${folder.path}/data`,
      "exec-root": `${folder.path}/exec`,
      "pidfile": `${folder.path}/docker.pid`,
      "hosts": [`unix://${socket}`],
      ...(mirror === undefined ? {} : { "registry-mirrors": [mirror] }),
    }),
  );
  await Deno.mkdir(`${folder.path}/config`);
  await Deno.writeTextFile(
    `${folder.path}/config/config.json`,
    JSON.stringify({ cliPluginsExtraDirs: pluginFolders(unpacked) }),
  );
  const dockerd = ["dockerd", "--config-file", `${folder.path}/daemon.json`];
  const server = await startServer(["env", `PATH=${path}`, ...dockerd], /API listen on /)
    .catch(async (error) => {
      await folder[Symbol.asyncDispose]();
      throw error;
    });
  return {
    env: { PATH: path, DOCKER_HOST: `unix://${socket}`, DOCKER_CONFIG: `${folder.path}/config` },
    socket,
    pid: server.pid,
    stop: server.stop,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Where buildx may be: beside the unpacked engine, or where Debian installs it. */
function pluginFolders(unpacked: string | undefined): string[] {
  const debian = "/usr/libexec/docker/cli-plugins";
  const [sbin] = unpacked?.split(":") ?? [];
  return sbin === undefined ? [debian] : [`${sbin}/../libexec/docker/cli-plugins`, debian];
}
