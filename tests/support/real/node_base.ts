/** A base image like `node:20-alpine`, made of this machine's own programs. */

import { runTool } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** The name Docker Hub has it under. */
export const NODE_BASE = "library/node:20-alpine";

/**
 * Makes the image and pushes it as `library/node:20-alpine`: a static busybox with its links, and
 * `node` with the libraries it is linked to.
 *
 * @param registry Host and port of a plain-http registry on loopback.
 * @param marker Content of `/etc/marker`, for bases that differ.
 */
export async function pushNodeBase(registry: string, marker = "1"): Promise<void> {
  await using folder = await tempFolder("node-base");
  const root = `${folder.path}/root`;
  await makeTree(root, marker);
  const layout = `${folder.path}/layout`;
  const image = `${layout}:base`;
  const at = "2024-01-01T00:00:00Z";
  await runTool(["umoci", "init", "--layout", layout]);
  await runTool(["umoci", "new", "--image", image]);
  await runTool(["umoci", "insert", "--image", image, "--history.created", at, root, "/"]);
  await runTool([
    ...["umoci", "config", "--image", image, "--history.created", at, "--created", at],
    ...["--config.env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    ...["--config.env", "NODE_VERSION=20", "--config.cmd", "node"],
  ]);
  const destination = `docker://${registry}/${NODE_BASE}`;
  await runTool([
    ...["skopeo", "--insecure-policy", "copy", "--dest-tls-verify=false", "-q"],
    ...[`oci:${image}`, destination],
  ]);
}

async function makeTree(root: string, marker: string): Promise<void> {
  for (const folder of ["bin", "etc", "root", "tmp", "usr/local/bin"]) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  await Deno.chmod(`${root}/tmp`, 0o1777);
  await Deno.writeTextFile(
    `${root}/etc/passwd`,
    "root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n",
  );
  await Deno.writeTextFile(`${root}/etc/group`, "root:x:0:\nnode:x:1000:\n");
  await Deno.writeTextFile(`${root}/etc/marker`, `${marker}\n`);
  await Deno.copyFile("/bin/busybox", `${root}/bin/busybox`);
  const { stdout } = await runTool(["/bin/busybox", "--list"]);
  for (const applet of stdout.split("\n").filter((name) => name !== "" && name !== "busybox")) {
    await Deno.symlink("busybox", `${root}/bin/${applet}`);
  }
  // Debian's /bin/env is found as /usr/bin/env by scripts.
  await Deno.mkdir(`${root}/usr/bin`, { recursive: true });
  await Deno.symlink("/bin/env", `${root}/usr/bin/env`);
  await copyProgram("node", root, "/usr/local/bin/node");
}

/** Copies a program with the shared libraries it is linked to. */
async function copyProgram(name: string, root: string, to: string): Promise<void> {
  const found = (await runTool(["sh", "-c", `command -v ${name}`])).stdout.trim();
  const program = await Deno.realPath(found);
  await Deno.copyFile(program, `${root}${to}`);
  const { stdout } = await runTool(["ldd", program], { allowFailure: true });
  for (const [, library = ""] of stdout.matchAll(/(\/\S+) \(0x/g)) {
    await Deno.mkdir(`${root}${library}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.copyFile(library, `${root}${library}`);
  }
}
