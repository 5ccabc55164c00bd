/** The environment that a `deno` started by a test needs to find its cache and the network. */

/** Deno's cache folder, absolute: the same for commands that get a HOME of their own. */
export const DENO_DIR: string = Deno.env.get("DENO_DIR") ??
  `${Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`}/deno`;

/** Variables a test's command inherits although its environment is otherwise empty. */
const INHERITED = [
  ...["PATH", "HOME", "TMPDIR"],
  // A network that is reached through a proxy, perhaps one with a certificate of its own.
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
  ...["DENO_CERT", "DENO_TLS_CA_STORE", "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS"],
  ...["NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG", "DENO_AUTH_TOKENS"],
];

/** Returns the variables to hand on to a command that starts from an empty environment. */
export function inheritedEnvironment(): Record<string, string> {
  const set = INHERITED.flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(set), DENO_DIR };
}
