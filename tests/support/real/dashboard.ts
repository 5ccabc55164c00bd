/** The flywheel's dashboard, once it is built. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { startServer } from "./program.ts";

/** Runs a command that starts the dashboard at `$HOST:$PORT`, and reads its pages. */
export async function assertServes(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const port = freePort();
  await using _server = await startServer(command, /Listening on/, {
    env: { ...env, PORT: String(port), HOST: "127.0.0.1" },
  });
  assertStringIncludes(await page(port, ""), "<h1>Runners</h1>");
  assertStringIncludes(await page(port, "about"), "A dashboard for the runners");
}

/** A page of a server on loopback. */
export async function page(port: number, path: string): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  assertEquals(response.status, 200);
  return await response.text();
}

/** A port that nobody listens on; its user binds it a moment later. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
