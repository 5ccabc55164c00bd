/**
 * Certificate authorities of one registry, as podman and docker are given them: the `.crt` files in
 * `certs.d/<host>`.
 *
 * @see containers-certs.d(5)
 */

import { readRegularText } from "../util/regular_file.ts";

/** The PEM texts of a host's own authorities; `host` has its port if it has one. */
export function authoritiesOf(
  host: string,
  env: Readonly<Record<string, string | undefined>>,
): string[] {
  const own = env.HOME ? [`${env.HOME}/.config/containers`, `${env.HOME}/.config/docker`] : [];
  const folders = [...own, "/etc/containers", "/etc/docker"];
  return folders.flatMap((folder) => certificatesIn(`${folder}/certs.d/${host}`));
}

function certificatesIn(folder: string): string[] {
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".crt")
    );
    return names.sort().map((name) => readRegularText(`${folder}/${name}`));
  } catch {
    return [];
  }
}
