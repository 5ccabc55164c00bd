/** How long Attic's client is waited for: what was built is sent, or people are told what may not be. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { BuildRequest } from "../../lib/model/plugin.ts";
import { besideWatchers, type WatcherMeans } from "../../plugins/nix2container/watch_store.ts";
import { Uploads } from "../../plugins/nix2container/uploads.ts";

const HASH = "0123456789abcdfghijklmnpqrsvwxyz";

/** Store path of a name. */
function storePath(name: string): string {
  return `/nix/store/${HASH}-${name}`;
}

/** A client that a test speaks for, and a clock that moves only where a test says so. */
class FakeClient {
  readonly started: string[] = [];
  readonly notices: string[] = [];
  /** How often time passed without a word. */
  timeouts = 0;
  /** Milliseconds of all waits that ended by time. */
  waited = 0;
  /** Time passes: waits end without the event. */
  passes = false;
  isEnded = false;
  #now = 0;
  #say: (line: string) => void = () => {};
  #exit: (code: number) => void = () => {};
  readonly #interrupt = new AbortController();

  readonly means: WatcherMeans = {
    isInstalled: () => true,
    run: async (command, { signal, onLine } = {}) => {
      this.started.push(command.join(" "));
      const { promise, resolve, reject } = Promise.withResolvers<number>();
      this.#say = (line) => onLine?.(line, "stderr");
      this.#exit = resolve;
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
      queueMicrotask(() => this.say('👀 Pushing new store paths to "team" on "central"'));
      try {
        return { code: await promise, stdout: "" };
      } finally {
        this.isEnded = true;
      }
    },
    now: () => this.#now,
    wait: async (event, milliseconds) => {
      if (!this.passes) return await event;
      this.#now += milliseconds;
      this.waited += milliseconds;
      this.timeouts += 1;
    },
  };

  say(line: string): void {
    this.#say(line);
  }

  exit(code: number): void {
    this.#exit(code);
  }

  interrupt(): void {
    this.#interrupt.abort(new Error("interrupted"));
  }

  /** A request whose recipe names a cache. */
  request(watchStore?: string): BuildRequest {
    return {
      image: { options: watchStore === undefined ? {} : { watchStore } },
      context: {
        root: "/",
        signal: this.#interrupt.signal,
        log: () => {},
        notice: (message: string) => this.notices.push(message),
      },
    } as unknown as BuildRequest;
  }

  /** Runs a build of these names beside the client; `then` happens once it is over. */
  async build(names: readonly string[], then: () => unknown = () => {}): Promise<void> {
    const requests = [this.request("team"), this.request(), this.request("team")];
    let later: Promise<unknown> | undefined;
    const work = () => {
      later = new Promise<void>((resolve) => setTimeout(resolve, 0)).then(then);
      return Promise.resolve(names.map(storePath));
    };
    await besideWatchers(requests, work, this.means);
    await later;
  }
}

Deno.test("the client is waited for until each path is sent, however long it is silent", async () => {
  const client = new FakeClient();
  let sent = 0;
  const names = ["a", "b", "server"];
  await client.build(names, async () => {
    for (const name of names) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEquals(client.isEnded, false, `ended before ${name} was sent`);
      sent += 1;
      client.say(`✅ ${name === "b" ? "b" : `${HASH}-${name}`} (1.2 MiB/s)`);
    }
  });
  assertEquals([sent, client.isEnded, client.notices], [3, true, []]);
  assertEquals(client.started, ["attic watch-store team"]);
});

Deno.test("where nothing was built, nothing is waited for", async () => {
  const client = new FakeClient();
  await client.build([]);
  await client.build(["nixpkgs-source"]);
  assertEquals([client.isEnded, client.notices, client.timeouts], [true, [], 0]);
});

Deno.test("after a minute without a word, people are told what the cache may lack", async () => {
  const client = new FakeClient();
  client.passes = true;
  await client.build(["a", "b", "c", "d", "e"]);
  assertEquals(client.isEnded, true);
  assertEquals(client.waited, 5_000 + 60_000);
  const [notice = "", ...others] = client.notices;
  assertEquals(others, []);
  assertMatch(notice, /^The cache "team" may lack a, b, c and 2 more/);
  assertMatch(notice, /`attic push team \/nix\/store\/\w+-a .*` sends what is missing$/);
});

Deno.test("a client that talks of other things is not waited for for ever", async () => {
  const client = new FakeClient();
  await client.build(["a"], () => {
    client.passes = true;
    client.say("Error during watch: overflow");
  });
  assertMatch(client.notices.join(), /may lack a/);
});

Deno.test("a path that is refused, and a client that dies, are told", async () => {
  const client = new FakeClient();
  await client.build(["a", "b"], () => {
    client.say(`❌ ${HASH}-a: HTTP 413 Payload Too Large`);
    client.exit(7);
  });
  assertEquals(client.notices.length, 3);
  const [ended = "", refused = "", lacking = ""] = client.notices;
  assertMatch(ended, /ended by itself with status 7/);
  assertMatch(refused, /did not take a \(HTTP 413 Payload Too Large\): `attic push team .*-a`/);
  assertMatch(lacking, /may lack b/);
});

Deno.test("an interrupt ends the client at once, without a word", async () => {
  const client = new FakeClient();
  await client.build(["a"], () => client.interrupt());
  assertEquals([client.isEnded, client.notices], [true, []]);
});

Deno.test("a build that fails ends the client", async () => {
  const client = new FakeClient();
  await assertRejects(
    () =>
      besideWatchers([client.request("team")], () => Promise.reject(new Error("no")), client.means),
    Error,
    "no",
  );
  assertEquals([client.isEnded, client.notices], [true, []]);
});

Deno.test("Uploads: paths of one name are told apart by their hashes, or counted", () => {
  const [one, other] = [
    "/nix/store/11111111111111111111111111111111-layers.json",
    storePath("layers.json"),
  ];
  const uploads = new Uploads();
  assertEquals(uploads.take(`✅ ${HASH}-layers.json (deduplicated)`), false);
  uploads.expect([one, other]);
  assertEquals(uploads.pending, [one]);
  assertEquals(uploads.take("✅ unknown (1 B/s)"), false);
  assertEquals(uploads.take("✅ layers.json (1 B/s)"), true);
  assertEquals(uploads.pending, []);
  assertEquals(uploads.take("✅ layers.json (1 B/s)"), false);
});
