/** A base image like `node:20-alpine`, made of this machine's own programs. */

import { type Descriptor, MediaType } from "../../../lib/model/oci.ts";
import { hostPlatform, parsePlatform } from "../../../lib/model/platform.ts";
import { encodeConfig, encodeManifest } from "../../../lib/oci/documents.ts";
import { sha256 } from "../../../lib/oci/sha256.ts";
import { runTool } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** The name Docker Hub has it under. */
export const NODE_BASE = "library/node:20-alpine";

const CREATED = "2024-01-01T00:00:00Z";

/**
 * Makes the image and pushes it as `library/node:20-alpine`: a static busybox with its links, and
 * `node` with the libraries it is linked to, in one layer that is not compressed.
 *
 * @param registry Host and port of a plain-http registry on loopback.
 * @param marker Content of `/etc/marker`, for bases that differ.
 */
export async function pushNodeBase(registry: string, marker = "1"): Promise<void> {
  await using folder = await tempFolder("node-base");
  const root = `${folder.path}/root`;
  const tar = `${folder.path}/layer.tar`;
  await makeTree(root, marker);
  await runTool([
    ...["tar", "-C", root, "-cf", tar, "--sort=name", `--mtime=${CREATED}`],
    ...["--owner=0", "--group=0", "--numeric-owner", "."],
  ]);
  const created = CREATED;
  const layer = await upload(registry, MediaType.layer, await Deno.readFile(tar));
  const config = await upload(
    registry,
    MediaType.config,
    encodeConfig({
      ...parsePlatform(hostPlatform()),
      created,
      config: {
        Env: [
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "NODE_VERSION=20",
        ],
        Cmd: ["node"],
      },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
      history: [{ created, created_by: "ADD root /" }],
    }),
  );
  await answered(
    fetch(`http://${registry}/v2/${NODE_BASE.replace(":", "/manifests/")}`, {
      method: "PUT",
      headers: { "content-type": MediaType.manifest },
      body: encodeManifest({ config, layers: [layer] }) as Uint8Array<ArrayBuffer>,
    }),
  );
}

/** Puts a blob into the base's repository. */
async function upload(
  registry: string,
  mediaType: string,
  bytes: Uint8Array<ArrayBufferLike>,
): Promise<Descriptor> {
  const digest = sha256(bytes);
  const uploads = `http://${registry}/v2/${NODE_BASE.split(":", 1)}/blobs/uploads/`;
  const { headers } = await answered(fetch(uploads, { method: "POST" }));
  const location = new URL(headers.get("location")!, uploads);
  location.searchParams.set("digest", digest);
  await answered(fetch(location, { method: "PUT", body: bytes as Uint8Array<ArrayBuffer> }));
  return { mediaType, digest, size: bytes.length };
}

async function answered(request: Promise<Response>): Promise<Response> {
  const response = await request;
  const text = await response.text();
  if (!response.ok) throw new Error(`${response.url} answered ${response.status}: ${text}`);
  return response;
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
