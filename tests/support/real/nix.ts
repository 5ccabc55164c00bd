/** A configuration of Nix that builds flakes without inputs, offline, as root. */

import { tempFolder } from "./temp_folder.ts";

/** A configuration for `nix`. */
export interface NixConfiguration extends AsyncDisposable {
  /** What `nix` needs in its environment; the store is the machine's own. */
  readonly env: Readonly<Record<string, string>>;
}

/** Makes the configuration, with an empty evaluation cache. */
export async function nixConfiguration(): Promise<NixConfiguration> {
  const folder = await tempFolder("nix");
  await Deno.mkdir(`${folder.path}/home`);
  await Deno.writeTextFile(
    `${folder.path}/nix.conf`,
    [
      "experimental-features = nix-command flakes",
      "build-users-group =",
      "sandbox = false",
      "substituters =",
      "flake-registry =",
      "",
    ].join("\n"),
  );
  return {
    env: {
      HOME: `${folder.path}/home`,
      XDG_CACHE_HOME: `${folder.path}/cache`,
      NIX_CONF_DIR: folder.path,
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}
