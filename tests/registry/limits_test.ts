import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { MediaType } from "../../lib/model/oci.ts";
import type { Interference } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { blobOf, clientOf, largeBlob, lengthOf, login, manifestOf } from "./rig.ts";

/** Limits that a test can wait for, and notices at once. */
const SOON = {
  patience: { reply: 60, idle: 60, document: 60, refusal: 20, answer: 60 },
  pacing: { base: 1, cap: 1, notable: 5 },
};

function often(interference: Interference): Interference[] {
  return Array.from({ length: 200 }, () => interference);
}

/** A client that keeps what it tells people. */
function telling(registry: FaultyRegistry, env: Record<string, string> = {}) {
  const notices: string[] = [];
  const notice = (message: string) => void notices.push(message);
  return { notices, client: clientOf(registry.host, env, { ...SOON, notice }) };
}

/** A registry that holds an image of a config. */
async function holding(config = blobOf("{}")) {
  const registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  await client.upload("team/app", config.descriptor, () => config.bytes);
  const manifest = manifestOf(config.descriptor);
  await client.putManifest("team/app", "1", MediaType.manifest, manifest);
  registry.log.length = 0;
  return registry;
}

Deno.test("a manifest that drips is given up, once for all, and told of", async () => {
  await using registry = await holding();
  const { client, notices } = telling(registry);
  using _ = client;
  registry.interfere("manifest-get", ...often({ drip: 20 }));
  const asked = Array.from({ length: 10 }, () => client.manifest("team/app", "1"));
  for (const outcome of await Promise.allSettled(asked)) {
    assert(outcome.status === "rejected");
    assertStringIncludes(outcome.reason.message, "only a part has come after");
  }
  const before = registry.log.length;
  assert(before <= 30, `${before}`);
  await assertRejects(() => client.manifest("team/app", "1"), Fault, "only a part has come");
  assertEquals(registry.log.length, before);
  assertEquals(notices, [`${registry.host} has not answered for 1 s; it is waited for`]);
});

Deno.test("a body that stops half-way is given up after three times", async (t) => {
  await t.step("a manifest", async () => {
    await using registry = await holding();
    const { client } = telling(registry);
    using _ = client;
    registry.interfere("manifest-get", ...often({ stall: 4 }));
    await assertRejects(() => client.manifest("team/app", "1"), Fault);
    assert(registry.count("manifest-get") <= 3, registry.kinds().join());
  });
  await t.step("a config", async () => {
    const config = blobOf("{}".padEnd(100));
    await using registry = await holding(config);
    const { client } = telling(registry);
    using _ = client;
    registry.interfere("blob-get", ...often({ stall: 4, ignoresRange: true }));
    await assertRejects(() => client.smallBlob("team/app", config.descriptor), Fault);
    assertEquals(registry.count("blob-get"), 3);
  });
  await t.step("a config that drips", async () => {
    const config = blobOf("{}".padEnd(4_000));
    await using registry = await holding(config);
    const { client } = telling(registry);
    using _ = client;
    registry.interfere("blob-get", ...often({ drip: 20 }));
    await assertRejects(() => client.smallBlob("team/app", config.descriptor), Fault);
    assertEquals(registry.count("blob-get"), 3);
  });
});

Deno.test("a layer that stops half-way is told of, taken up again, and given up in the end", async () => {
  const layer = blobOf("x".repeat(1_000));
  await using registry = await FaultyRegistry.start();
  registry.store.putBlob("team/app", layer.descriptor.digest, layer.bytes);
  const { client, notices } = telling(registry);
  using _ = client;
  registry.interfere("blob-get", ...often({ stall: 4, ignoresRange: true }));
  await assertRejects(
    async () => await lengthOf(await client.blob("team/app", layer.descriptor)),
    Fault,
  );
  assert(registry.count("blob-get") <= 4, registry.kinds().join());
  assertEquals(notices, [`${registry.host} has not answered for 1 s; it is waited for`]);
});

Deno.test("who reads a layer slowly is not kept waiting by the registry", async () => {
  const layer = largeBlob(1);
  await using registry = await FaultyRegistry.start();
  const chunks: Uint8Array[] = [];
  for await (const chunk of await layer.open()) chunks.push(chunk);
  const bytes = new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
  registry.store.putBlob("team/app", layer.descriptor.digest, bytes);
  const { client } = telling(registry);
  using _ = client;
  const stream = await client.blob("team/app", layer.descriptor);
  const reader = stream.getReader();
  let length = (await reader.read()).value?.length ?? 0;
  // Longer than the registry may be idle.
  await new Promise((resolve) => setTimeout(resolve, 3 * SOON.patience.idle));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.length;
  }
  assertEquals(length, layer.descriptor.size);
  assertEquals(registry.count("blob-get"), 1);
});

Deno.test("an upload that the registry stops reading is given up", async () => {
  // It takes connections, and what the system takes for it.
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `localhost:${listener.addr.port}`;
  const notices: string[] = [];
  const connections: Deno.Conn[] = [];
  const serving = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      serve(connection).catch(() => {});
    }
  })().catch(() => {});
  using client = clientOf(host, {}, {
    ...SOON,
    notice: (message) => void notices.push(message),
  });
  const layer = largeBlob(64);
  await assertRejects(() => client.upload("team/app", layer.descriptor, layer.open), Fault);
  assert(layer.opened <= 3, `${layer.opened}`);
  assert(notices.length > 0);
  for (const connection of connections) connection.close();
  listener.close();
  await serving;
});

/** Answers to short requests, and reads nothing more once a body comes. */
async function serve(connection: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(4_096);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    const text = new TextDecoder().decode(buffer.subarray(0, count));
    if (text.startsWith("PUT") || text.startsWith("PATCH")) return;
    const answer = text.startsWith("POST")
      ? "202 Accepted\r\nLocation: /v2/team/app/blobs/uploads/1"
      : text.startsWith("DELETE")
      ? "204 No Content"
      : "404 Not Found";
    await connection.write(
      new TextEncoder().encode(`HTTP/1.1 ${answer}\r\nContent-Length: 0\r\n\r\n`),
    );
  }
}

Deno.test("a document that says it is too long is refused at once", async () => {
  await using registry = await holding();
  const { client } = telling(registry);
  using _ = client;
  registry.interfere("manifest-get", { headers: { "content-length": "100000000" }, stall: 1 });
  const fault = await assertRejects(() => client.manifest("team/app", "1"), Fault);
  assertStringIncludes(fault.message, "The manifest has over");
  assertEquals(registry.count("manifest-get"), 1);
});

Deno.test("a refusal whose text drips counts as far as it came", async () => {
  await using registry = await FaultyRegistry.start();
  const { client } = telling(registry);
  using _ = client;
  registry.interfere("manifest-get", {
    answer: { status: 400, body: "x".repeat(1_000) },
    drip: 10,
  });
  const fault = await assertRejects(() => client.manifest("team/app", "1"), Fault);
  assertStringIncludes(fault.message, "status 400");
});

Deno.test("uploads that are never answered are given up after three times, for the whole run", async () => {
  await using registry = await FaultyRegistry.start();
  const { client, notices } = telling(registry);
  using _ = client;
  const { promise: never, resolve } = Promise.withResolvers<void>();
  registry.interfere("upload-put", ...often({ wait: () => never }));
  const { descriptor, bytes } = blobOf("hello");
  const uploading = () => client.upload("team/app", descriptor, () => bytes);
  await assertRejects(uploading, Fault, "no answer");
  const begun = registry.count("upload-begin");
  assert(begun <= 3, `${begun}`);
  // The registry is asked for other things, and no more blobs are sent.
  assertEquals(await client.manifest("team/app", "1"), undefined);
  await assertRejects(uploading, Fault, "no answer");
  assertEquals(registry.count("upload-begin"), begun);
  assert(notices.some((text) => text.includes("has not answered an upload for")), notices.join());
  resolve();
});

Deno.test("a token server that says nothing is told of and given up, once for all", async () => {
  const { promise: never, resolve } = Promise.withResolvers<void>();
  let asked = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async () => {
      asked += 1;
      await never;
      return new Response(null);
    },
  );
  const tokens = `localhost:${server.addr.port}`;
  await using registry = await FaultyRegistry.start({
    basic: { user: "ann", password: "1" },
    challenge: `Bearer realm="http://${tokens}/token",service="x"`,
  });
  const { client, notices } = telling(registry, login("ann", "1"));
  using _ = client;
  await assertRejects(
    () => client.probe("team/app", "1"),
    Fault,
    "Cannot fetch a token: no answer",
  );
  const before = asked;
  assert(before <= 3, `${before}`);
  await assertRejects(() => client.probe("team/other", "1"), Fault, "Cannot fetch a token");
  assertEquals(asked, before);
  const told = `${tokens} has not answered for 1 s; it is waited for`;
  assertEquals(notices.filter((each) => each === told).length, 1, notices.join());
  resolve();
  await server.shutdown();
});

Deno.test("a first connection that is never answered is told of", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const host = `localhost:${listener.addr.port}`;
  const notices: string[] = [];
  using client = clientOf(host, {}, {
    ...SOON,
    patience: { ...SOON.patience, connect: 60 },
    notice: (message) => void notices.push(message),
  });
  await assertRejects(() => client.probe("team/app", "1"), Fault, "no connection");
  assertEquals(notices, [`${host} has not answered for 1 s; it is waited for`]);
});
