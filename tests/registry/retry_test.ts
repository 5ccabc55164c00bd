import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import {
  ghcrSecondaryLimit,
  ghcrThrottle,
  type Interference,
  refusal,
} from "../support/registry/interference.ts";
import { Transport } from "../../lib/registry/transport.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { blobOf, clientOf } from "./rig.ts";

Deno.test("what may be temporary is asked again", async (t) => {
  const failures: Record<string, Interference> = {
    "a broken connection": { reset: "at once" },
    "an answer that never came": { reset: "instead of answering" },
    "GHCR's delay in the message": ghcrThrottle("10.3ms"),
    "GHCR's secondary limit, a 403": ghcrSecondaryLimit(),
    "Retry-After in seconds": refusal(429, "TOOMANYREQUESTS", "", { "retry-after": "0" }),
    "Retry-After as a date": refusal(503, "X", "", {
      "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT",
    }),
    "a proxy's page": { answer: { status: 502, body: "<html>bad gateway</html>" } },
  };
  for (const status of [408, 429, 499, 500, 502, 503, 504, 522]) {
    failures[`status ${status}`] = { answer: { status } };
  }
  for (const [name, failure] of Object.entries(failures)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("manifest-get", failure, failure);
      assertEquals(await client.manifest("team/app", "latest"), undefined);
      assertEquals(registry.count("manifest-get"), 3);
    });
  }
});

Deno.test("what is for good is not asked again", async (t) => {
  for (const status of [400, 403, 405, 410, 418, 501]) {
    await t.step(`status ${status}`, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("manifest-get", { answer: { status } });
      await assertRejects(() => client.manifest("team/app", "latest"), Fault);
      assertEquals(registry.count("manifest-get"), 1);
    });
  }
});

Deno.test("a registry that stays broken is given up after six tries", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  registry.interfere("blob-head", ...Array.from({ length: 9 }, () => refusal(503, "UNAVAILABLE")));
  const { digest } = blobOf("x").descriptor;
  const fault = await assertRejects(() => client.hasBlob("team/app", digest), Fault);
  assertStringIncludes(fault.message, "status 503");
  assertEquals(registry.count("blob-head"), 6);
});

Deno.test("a body is sent again whole", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const { descriptor, bytes } = blobOf("{}");
  await client.upload("team/app", descriptor, () => bytes);
  registry.interfere("manifest-put", refusal(500, "X"), {
    reset: "instead of answering",
    handled: true,
  });
  const manifest = new TextEncoder().encode(
    JSON.stringify({ schemaVersion: 2, config: descriptor, layers: [] }),
  );
  await client.putManifest(
    "team/app",
    "latest",
    "application/vnd.oci.image.manifest.v1+json",
    manifest,
  );
  assertEquals(registry.store.manifest("team/app", "latest")?.bytes, manifest);
  const sizes = registry.log.filter(({ kind }) => kind === "manifest-put")
    .map(({ received }) => received);
  assertEquals(sizes, [manifest.length, manifest.length, manifest.length]);
});

Deno.test("a wait of hours is a fault that says so", async (t) => {
  const hour = new Date(Date.now() + 3_600_000).toUTCString();
  const answers: Record<string, Interference> = {
    "seconds": refusal(429, "X", "", { "retry-after": "3600" }),
    "a date": refusal(503, "X", "", { "retry-after": hour }),
    "a duration in the message": ghcrThrottle("1h0m0s"),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("manifest-get", answer);
      const fault = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
      const [, seconds] = /asks not to be asked for (\d+) s$/.exec(fault.message) ?? [];
      assert(Number(seconds) > 3_500 && Number(seconds) <= 3_600, fault.message);
    });
  }
});

Deno.test("all requests to a host share the wait, and people are told of it", async () => {
  await using registry = await FaultyRegistry.start();
  const { promise: told, resolve } = Promise.withResolvers<string>();
  const stop = new AbortController();
  using client = clientOf(registry.host, {}, { notice: resolve, signal: stop.signal });
  using other = clientOf(registry.host);
  registry.interfere("manifest-get", refusal(429, "TOOMANYREQUESTS", "", { "retry-after": "60" }));
  const first = client.manifest("team/app", "latest");
  assertEquals(await told, `${registry.host} is asked again in 60 s: its rate limit is reached`);
  const second = client.manifest("team/second", "latest");
  await other.manifest("team/other", "latest");
  assertEquals(
    registry.log.map(({ path }) => path),
    ["team/app", "team/other"].map((name) => `/v2/${name}/manifests/latest`),
  );
  const interrupted = new Fault("Interrupted", { kind: "interrupted" });
  stop.abort(interrupted);
  for (const request of [first, second]) {
    assertEquals(await assertRejects(() => request, Fault), interrupted);
  }
});

Deno.test("a kept connection that the registry has closed is no failure", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host, {}, { pacing: { tries: 1 } });
  for (let round = 0; round < 5; round++) {
    assertEquals(await client.manifest("team/app", "latest"), undefined);
    registry.dropConnections();
  }
  assertEquals(registry.count("manifest-get"), 5);
});

Deno.test("deadlines end what hangs", async (t) => {
  await t.step("no answer", async () => {
    await using registry = await FaultyRegistry.start();
    using client = clientOf(registry.host, {}, { patience: { answer: 50 } });
    const { promise: never, resolve } = Promise.withResolvers<void>();
    registry.interfere("manifest-get", { wait: () => never });
    assertEquals(await client.manifest("team/app", "latest"), undefined);
    assertEquals(registry.count("manifest-get"), 1);
    resolve();
  });
  await t.step("a body that stops", async () => {
    await using registry = await FaultyRegistry.start();
    using client = clientOf(registry.host, {}, { patience: { idle: 50 } });
    const { descriptor, bytes } = blobOf("0123456789");
    registry.store.putBlob("team/app", descriptor.digest, bytes);
    registry.interfere("blob-get", { stall: 4 });
    assertEquals(await client.smallBlob("team/app", descriptor), bytes);
    assertEquals(registry.log.at(-1)?.headers.range, "bytes=4-");
  });
  await t.step("no connection", async () => {
    // An address for documentation, where nobody is (RFC 5737).
    using client = clientOf("192.0.2.1", {}, {
      insecure: true,
      patience: { connect: 50 },
      pacing: { tries: 1 },
    });
    const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "192.0.2.1");
  });
});

Deno.test("who cannot be reached is named, with why and what to do", async (t) => {
  await t.step("nothing listens", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const host = `localhost:${listener.addr.port}`;
    listener.close();
    using client = clientOf(host);
    const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
    assertEquals(fault.message, `Cannot reach ${host}: nothing listens there`);
    assertEquals(fault.next, "start the registry, or correct its host");
    assertEquals(fault.where, `${host}/team/app`);
  });
  await t.step("an unknown name", async () => {
    using client = clientOf("no-such-registry.invalid", {}, { pacing: { tries: 1 } });
    const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
    assertStringIncludes(
      fault.message,
      "Cannot reach no-such-registry.invalid: its name is not known",
    );
  });
  await t.step("no registry at all", async () => {
    await using registry = await FaultyRegistry.start();
    using client = clientOf(registry.host);
    registry.interfere("manifest-get", {
      answer: { status: 200, headers: { "content-type": "text/html" }, body: "<html></html>" },
    });
    const fault = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "no image manifest");
  });
});

Deno.test("a host that never answers is given up soon, once for all, and people know whom they wait for", async () => {
  await using registry = await FaultyRegistry.start();
  const notices: string[] = [];
  using client = clientOf(registry.host, {}, {
    notice: (message) => notices.push(message),
    patience: { reply: 200 },
    pacing: { base: 1, cap: 1, notable: 5 },
  });
  const { promise: never, resolve } = Promise.withResolvers<void>();
  const silence = Array.from({ length: 400 }, () => ({ wait: () => never }));
  registry.interfere("manifest-get", ...silence);
  registry.interfere("manifest-head", ...silence);
  const asked = Array.from({ length: 30 }, (_, at) => client.manifest(`team/${at}`, "latest"));
  for (const outcome of await Promise.allSettled(asked)) {
    assert(outcome.status === "rejected");
    assertStringIncludes(outcome.reason.message, "no answer after 200 ms");
  }
  // Those that waited for their turn meanwhile do not ask three times.
  assert(registry.count("manifest-get") < 90, `${registry.count("manifest-get")}`);
  const before = registry.log.length;
  await assertRejects(() => client.probe("team/app", "latest"), Fault);
  assertEquals(registry.log.length, before);
  assertEquals(notices, [`${registry.host} has not answered for 1 s; it is waited for`]);
  resolve();
});

Deno.test("one that has answered is asked for other things after a silence", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host, {}, {
    patience: { reply: 1_000 },
    pacing: { base: 1, cap: 1, silentTries: 1 },
  });
  const { promise: never, resolve } = Promise.withResolvers<void>();
  assertEquals(await client.manifest("team/app", "latest"), undefined);
  registry.interfere("manifest-get", { wait: () => never });
  await assertRejects(() => client.manifest("team/app", "latest"), Fault, "no answer");
  assertEquals(await client.manifest("team/app", "latest"), undefined);
  resolve();
});

Deno.test("an answer to a blob is waited for longer than others", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = new URL(`http://127.0.0.1:${listener.addr.port}/`);
  const { signal } = new AbortController();
  const long = 600_000;
  const patience = { connect: long, idle: long, document: long, refusal: long };
  for (
    const [blobSize, reply, answer] of [
      [undefined, 10, long],
      [0, 10, long],
      [1e12, long, 10],
    ] as const
  ) {
    const transport = new Transport({ ...patience, reply, answer }, {});
    const size = blobSize === undefined ? {} : { blobSize };
    const put = { method: "PUT", url, headers: {}, body: new Uint8Array(1), signal, ...size };
    await assertRejects(() => transport.send(put), Error, "no answer after 10 ms");
    transport.close();
  }
});
