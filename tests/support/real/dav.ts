/** An HTTP store for a build tool's remote cache: nginx, which takes what is PUT and gives it back. */

import { freePort } from "./dashboard.ts";
import { type Server, startServer } from "./program.ts";
import { tempFolder } from "./temp_folder.ts";

/** A running store. */
export interface DavServer extends AsyncDisposable {
  /** e.g. `http://127.0.0.1:40123`. */
  readonly url: string;
}

/** How often another port is tried where one was taken in the meantime. */
const TRIES = 5;

/** Starts nginx with an empty store, on loopback. */
export async function startDavServer(): Promise<DavServer> {
  const folder = await tempFolder("dav");
  for (let attempt = 1;; attempt++) {
    const port = freePort();
    try {
      const server = await start(folder.path, port);
      return {
        url: `http://127.0.0.1:${port}`,
        async [Symbol.asyncDispose]() {
          await server.stop();
          await folder[Symbol.asyncDispose]();
        },
      };
    } catch (error) {
      if (attempt < TRIES) continue;
      await folder[Symbol.asyncDispose]();
      throw error;
    }
  }
}

async function start(folder: string, port: number): Promise<Server> {
  const own = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
    .map((name) => `${name}_temp_path ${folder}/${name};`).join(" ");
  await Deno.writeTextFile(
    `${folder}/nginx.conf`,
    `daemon off; pid ${folder}/pid; error_log stderr notice; ${user()}
    events {}
    http {
      access_log off; ${own}
      server {
        listen 127.0.0.1:${port};
        location / {
          root ${folder}/store;
          dav_methods PUT;
          create_full_put_path on;
          client_max_body_size 0;
        }
      }
    }`,
  );
  await Deno.mkdir(`${folder}/store`, { recursive: true });
  return await startServer(
    ["nginx", "-e", "stderr", "-p", folder, "-c", `${folder}/nginx.conf`],
    /start worker processes/,
  );
}

/** As root, nginx would write as somebody who may not. */
function user(): string {
  return Deno.uid() === 0 ? "user root;" : "";
}
