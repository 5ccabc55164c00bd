/** Stores and registries of buildah, podman and skopeo that belong to one test. */

import { tempFolder } from "./temp_folder.ts";

/** A configuration for buildah, podman and skopeo. */
export interface Containers extends AsyncDisposable {
  /** What the programs need in their environment. */
  readonly env: Readonly<Record<string, string>>;
  /** The folder that all of it is in. */
  readonly path: string;
}

/**
 * Makes an empty store.
 *
 * @param hub Host and port of a plain-http registry that stands in for `docker.io`.
 */
export async function containers(hub?: string): Promise<Containers> {
  const folder = await tempFolder("oci");
  const { path } = folder;
  for (const name of ["home/.config/containers", "run", "tmp"]) {
    await Deno.mkdir(`${path}/${name}`, { recursive: true, mode: 0o700 });
  }
  await Deno.writeTextFile(`${path}/registries.conf`, registries(hub));
  // A run root of over 50 characters makes podman's cleanup fail in silence.
  await Deno.writeTextFile(
    `${path}/storage.conf`,
    `[storage]\ndriver = "overlay"\nrunroot = "${path}/run/s"\ngraphroot = "${path}/storage"\n`,
  );
  await Deno.writeTextFile(
    `${path}/home/.config/containers/policy.json`,
    '{ "default": [{ "type": "insecureAcceptAnything" }] }\n',
  );
  await Deno.writeTextFile(
    `${path}/containers.conf`,
    [
      "[engine]",
      'runtime = "runc"',
      'cgroup_manager = "cgroupfs"',
      'events_logger = "file"',
      `tmp_dir = "${path}/run/libpod"`,
      "",
    ].join("\n"),
  );
  return {
    path,
    env: {
      HOME: `${path}/home`,
      XDG_RUNTIME_DIR: `${path}/run`,
      TMPDIR: `${path}/tmp`,
      BUILDAH_ISOLATION: "chroot",
      CONTAINERS_CONF: `${path}/containers.conf`,
      CONTAINERS_REGISTRIES_CONF: `${path}/registries.conf`,
      CONTAINERS_STORAGE_CONF: `${path}/storage.conf`,
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

function registries(hub: string | undefined): string {
  const head = 'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n';
  const loopback = ["localhost", "127.0.0.1"].map((host) =>
    `\n[[registry]]\nprefix = "${host}"\nlocation = "${host}"\ninsecure = true\n`
  );
  const mapped = hub === undefined
    ? ""
    : `\n[[registry]]\nprefix = "docker.io"\nlocation = "${hub}"\ninsecure = true\n`;
  return head + loopback.join("") + mapped;
}
