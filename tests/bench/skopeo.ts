/** skopeo as on a cold machine. */

/** A command and what it needs in its environment. */
export interface Copy {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Copies the image `big` of a layout to a registry on loopback. What skopeo remembers of blobs goes
 * to a home of its own, also root's, and is forgotten now.
 */
export async function coldCopy(layout: string, host: string, home: string): Promise<Copy> {
  await Deno.remove(home, { recursive: true }).catch(() => {});
  await Deno.mkdir(home);
  return {
    command: [
      ...["skopeo", "copy", "-q", "--dest-tls-verify=false"],
      ...[`oci:${layout}:big`, `docker://${host}/big:latest`],
    ],
    env: { HOME: home, XDG_DATA_HOME: home, _CONTAINERS_ROOTLESS_UID: "1000" },
  };
}
