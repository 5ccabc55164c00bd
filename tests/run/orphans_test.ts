/** What was started ends with the process that started it, even where that is killed. */

import { assertEquals } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { full, toolTest } from "../support/tools.ts";

/** Connections to a port that are still open; each stands for a process that waits. */
class Waiting implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  /** Shell code of a process that waits. */
  get command(): string {
    return `(sleep 1000 | busybox nc 127.0.0.1 ${this.#listener.addr.port})`;
  }

  /** Takes so many connections. */
  async accept(count: number): Promise<Deno.Conn[]> {
    const connections: Deno.Conn[] = [];
    while (connections.length < count) connections.push(await this.#listener.accept());
    return connections;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Comes back when the other end is gone. */
async function gone(connection: Deno.Conn): Promise<void> {
  await connection.read(new Uint8Array(1)).catch(() => {});
  connection.close();
}

const CASES: Readonly<Record<string, (command: string) => string>> = {
  "a command, and what it left running": (command) =>
    `run: ["sh", "-c", "${command} & ${command}"]`,
  "a command that does not listen": (command) =>
    `run: ["sh", "-c", "trap '' TERM; ${command} & ${command}"]`,
  "commands of a function, one in a session of its own": (command) =>
    "run: async ({ $ }) => { await $`sh -c " +
    `\${"setsid sh -c '${command}' & ${command}"}\`; }`,
};

// Only among the long campaigns: now and then a case waits for connections that never come.
for (const [name, run] of full ? Object.entries(CASES) : []) {
  toolTest(["busybox"], `a kill ends ${name}`, async () => {
    await using project = await TestProject.create({ "src/a": "" });
    using waiting = new Waiting();
    project.define(
      `{ tasks: { wait: task({ inputs: ["src/**"], outputs: ["out"], ${
        run(waiting.command)
      } }) }, images: {} }`,
    );
    const child = project.spawn("build", "wait");
    const connections = await waiting.accept(2);
    child.kill("SIGKILL");
    assertEquals((await child.status).signal, "SIGKILL");
    await Promise.all(connections.map(gone));
    await Promise.all([child.stdout.cancel(), child.stderr.cancel()]);
  });
}
