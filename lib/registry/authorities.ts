/**
 * Certificate authorities of one registry, as docker and podman are given them: the `.crt` files in
 * `certs.d/<host>`.
 *
 * @see https://docs.docker.com/engine/security/certificates/
 */

/** Folders that hold a folder for each host, the user's own first. */
function folders(): string[] {
  const home = Deno.env.get("HOME");
  const own = home === undefined
    ? []
    : [`${home}/.config/containers/certs.d`, `${home}/.docker/certs.d`];
  return [...own, "/etc/containers/certs.d", "/etc/docker/certs.d"];
}

/** The PEM texts of a host's own authorities; `host` has its port if it has one. */
export function authoritiesOf(host: string): string[] {
  return folders().flatMap((folder) => certificatesIn(`${folder}/${host}`));
}

function certificatesIn(folder: string): string[] {
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
      name.endsWith(".crt")
    );
    return names.sort().map((name) => Deno.readTextFileSync(`${folder}/${name}`));
  } catch {
    return [];
  }
}
