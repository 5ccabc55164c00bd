/** A plain-http registry on loopback for tools' own use; publishing is tested against others. */

import { startServer } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** A running registry. */
export interface LoopbackRegistry extends AsyncDisposable {
  /** e.g. `localhost:40123`. */
  readonly host: string;
}

/** Starts Debian's docker-registry, empty. */
export async function startLoopbackRegistry(): Promise<LoopbackRegistry> {
  const folder = await tempFolder("registry");
  await Deno.writeTextFile(
    `${folder.path}/config.json`,
    JSON.stringify({
      version: 0.1,
      log: { accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: `${folder.path}/data` } },
      http: { addr: "127.0.0.1:0" },
    }),
  );
  const server = await startServer(
    ["docker-registry", "serve", `${folder.path}/config.json`],
    /listening on 127\.0\.0\.1:(\d+)/,
    { env: { OTEL_TRACES_EXPORTER: "none" } },
  ).catch(async (error) => {
    await folder[Symbol.asyncDispose]();
    throw error;
  });
  return {
    host: `localhost:${server.ready[1]}`,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}
