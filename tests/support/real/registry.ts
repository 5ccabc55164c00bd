/** Debian's docker-registry on loopback, as a test needs it: open, with passwords, TLS or tokens. */

import type { TokenServer } from "../tokens.ts";
import type { Certificates } from "./certificates.ts";
import { runTool, startServer } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** How a registry is set up. */
export interface RegistrySettings {
  /** User and password it wants. @default none: everybody may do everything */
  readonly basic?: { readonly user: string; readonly password: string };
  /** Whose tokens it wants. */
  readonly tokens?: TokenServer;
  /** Serves https with these. @default plain http */
  readonly certificates?: Certificates;
  /** Where it keeps its data. @default a folder that goes with it */
  readonly data?: string;
}

/** A running registry. */
export interface LoopbackRegistry extends AsyncDisposable {
  /** e.g. `localhost:40123`. */
  readonly host: string;
  /** Where it keeps its data: `docker/registry/v2/` is below. */
  readonly data: string;
  /** The requests it has answered so far, e.g. `HEAD /v2/app/manifests/latest`. */
  requests(): string[];
}

/** Starts Debian's docker-registry, empty. */
export async function startLoopbackRegistry(
  settings: RegistrySettings = {},
): Promise<LoopbackRegistry> {
  const folder = await tempFolder("registry");
  const data = settings.data ?? `${folder.path}/data`;
  try {
    const config = `${folder.path}/config.json`;
    await Deno.writeTextFile(
      config,
      JSON.stringify({
        version: 0.1,
        storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
        http: { addr: "127.0.0.1:0", ...tls(settings) },
        ...await auth(settings, folder.path),
      }),
    );
    const server = await startServer(
      ["docker-registry", "serve", config],
      /listening on 127\.0\.0\.1:(\d+)/,
      { env: { OTEL_TRACES_EXPORTER: "none" } },
    );
    return {
      host: `localhost:${server.ready[1]}`,
      data,
      requests: () => server.lines.flatMap(requestIn),
      async [Symbol.asyncDispose]() {
        await server.stop();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

function tls({ certificates }: RegistrySettings) {
  if (certificates === undefined) return {};
  return { tls: { certificate: certificates.certificate, key: certificates.key } };
}

async function auth({ basic, tokens }: RegistrySettings, folder: string) {
  if (tokens !== undefined) {
    const { realm, service, issuer, certificate } = tokens;
    return { auth: { token: { realm, service, issuer, rootcertbundle: certificate } } };
  }
  if (basic === undefined) return {};
  const { stdout } = await runTool(["htpasswd", "-Bbn", basic.user, basic.password]);
  await Deno.writeTextFile(`${folder}/htpasswd`, stdout);
  return { auth: { htpasswd: { realm: "images test", path: `${folder}/htpasswd` } } };
}

/** The request in a line of the access log. */
function requestIn(line: string): string[] {
  const match = /"((?:HEAD|GET|PUT|POST|PATCH|DELETE) \S+) HTTP\/1\.[01]"/.exec(line);
  return match === null ? [] : [match[1]!];
}
