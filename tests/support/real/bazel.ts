/** A home for Bazel: an output root of its own, and no server that outlives the test. */

import { tempFolder } from "./temp_folder.ts";

/** A configuration for `bazel`. */
export interface BazelHome extends AsyncDisposable {
  /** What `bazel` needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
  /** Absolute path of the folder with `.bazelrc`. */
  readonly home: string;
  /** Ends the servers of all workspaces; the next command starts one anew. */
  stopServers(): Promise<void>;
}

/** A server that lives for a test compiles no more of itself than it must. */
const JVM = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"];

/** Makes the home; its `.bazelrc` keeps all outputs in it and servers small. */
export async function bazelHome(): Promise<BazelHome> {
  const folder = await tempFolder("bazel");
  const home = `${folder.path}/home`;
  const outputs = `${folder.path}/outputs`;
  await Deno.mkdir(home);
  const startup = [
    `--output_user_root=${outputs}`,
    "--max_idle_secs=60",
    // A server that is killed leaves its unpacked libraries where it put them.
    ...[...JVM, `-Djava.io.tmpdir=${home}`].map((option) => `--host_jvm_args=${option}`),
  ];
  const lines = startup.map((option) => `startup ${option}\n`);
  await Deno.writeTextFile(`${home}/.bazelrc`, lines.join(""));
  return {
    env: { HOME: home },
    home,
    stopServers: () => stopServers(outputs),
    async [Symbol.asyncDispose]() {
      await stopServers(outputs);
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Every output base names its server's process id in a file. */
async function stopServers(outputs: string): Promise<void> {
  for (const pid of serverPids(outputs)) {
    try {
      Deno.kill(pid, "SIGKILL");
    } catch {
      continue;
    }
    await gone(pid);
  }
}

function serverPids(outputs: string): number[] {
  const pids: number[] = [];
  try {
    for (const { name } of Deno.readDirSync(outputs)) {
      try {
        pids.push(Number(Deno.readTextFileSync(`${outputs}/${name}/server/server.pid.txt`)));
      } catch {
        // Not an output base, or its server was never started.
      }
    }
  } catch {
    // Bazel was never started.
  }
  return pids;
}

/** A killed server lets go of its files a moment later. */
async function gone(pid: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      if (/^State:\s*Z/m.test(await Deno.readTextFile(`/proc/${pid}/status`))) return;
    } catch {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
