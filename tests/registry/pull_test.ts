import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { MediaType } from "../../lib/model/oci.ts";
import { refusal } from "../support/registry/interference.ts";
import { digestOf } from "../support/registry/store.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { blobOf, clientOf, lengthOf, manifestOf } from "./rig.ts";

/** A registry that holds a blob and a manifest under `latest`. */
async function stocked(size = 500_000) {
  const registry = await FaultyRegistry.start();
  const blob = blobOf("0123456789".repeat(size / 10));
  registry.store.putBlob("team/app", blob.descriptor.digest, blob.bytes);
  const bytes = manifestOf(blob.descriptor);
  registry.store.putManifest("team/app", "latest", { mediaType: MediaType.manifest, bytes });
  const digest = digestOf(bytes) as `sha256:${string}`;
  return {
    registry,
    blob,
    bytes,
    descriptor: { mediaType: MediaType.manifest, digest, size: bytes.length },
  };
}

Deno.test("probe() asks for all four types, once, without a body", async () => {
  const { registry: held, descriptor } = await stocked();
  await using registry = held;
  using client = clientOf(registry.host);
  assertEquals(await client.probe("team/app", "latest"), descriptor);
  assertEquals(registry.kinds(), ["manifest-head"]);
  const accept = registry.log[0]!.headers.accept!.split(", ");
  assertEquals(
    accept.toSorted(),
    [
      MediaType.dockerIndex,
      MediaType.dockerManifest,
      MediaType.index,
      MediaType.manifest,
    ].toSorted(),
  );
  assertEquals(await client.probe("team/app", "other"), undefined);
});

Deno.test("probe() reads the manifest where the headers do not tell", async (t) => {
  const missing = ["docker-content-digest", "content-length", "content-type"];
  for (const name of missing) {
    await t.step(name, async () => {
      const { registry: held, descriptor } = await stocked();
      await using registry = held;
      using client = clientOf(registry.host);
      registry.interfere("manifest-head", { headers: { [name]: undefined } });
      assertEquals(await client.probe("team/app", "latest"), descriptor);
      assertEquals(registry.kinds(), ["manifest-head", "manifest-get"]);
    });
  }
  await t.step("a digest that is none", async () => {
    const { registry: held, descriptor } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    registry.interfere("manifest-head", { headers: { "docker-content-digest": "md5:1" } });
    assertEquals(await client.probe("team/app", "latest"), descriptor);
  });
  await t.step("HEAD is not allowed", async () => {
    const { registry: held, descriptor } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    registry.interfere("manifest-head", { answer: { status: 405 } });
    assertEquals(await client.probe("team/app", "latest"), descriptor);
  });
});

Deno.test("manifest() checks what it gets", async (t) => {
  await t.step("bytes that are not what the header says", async () => {
    const { registry: held } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    registry.interfere("manifest-get", { change: (body) => new Uint8Array([...body, 32]) });
    const fault = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "in the place of");
  });
  await t.step("another manifest than was asked for, header and all", async () => {
    const { registry: held, descriptor } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    const other = new TextEncoder().encode('{"schemaVersion":2}');
    registry.interfere("manifest-get", {
      change: () => other,
      headers: { "docker-content-digest": digestOf(other), "content-length": `${other.length}` },
    });
    await assertRejects(
      () => client.manifest("team/app", descriptor.digest),
      Fault,
      "in the place",
    );
    registry.interfere("manifest-head", { headers: { "docker-content-digest": digestOf(other) } });
    await assertRejects(() => client.probe("team/app", descriptor.digest), Fault, "in the place");
  });
  await t.step("a web page, as GHCR redirects to", async () => {
    const { registry: held } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    registry.interfere("manifest-get", { answer: { status: 303, headers: { location: "/page" } } });
    registry.interfere("other", {
      answer: { status: 200, headers: { "content-type": "text/html" }, body: "<html></html>" },
    });
    const fault = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "is no image manifest");
  });
  await t.step("one that does not end", async () => {
    const { registry: held } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    registry.interfere("manifest-get", {
      change: () => new Uint8Array(5 * 1024 * 1024),
      headers: { "content-length": undefined },
    });
    const fault = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "over 4194304 bytes");
  });
  await t.step("one that is cut short is asked for again", async () => {
    const { registry: held, bytes } = await stocked();
    await using registry = held;
    using client = clientOf(registry.host);
    registry.interfere("manifest-get", { truncate: 10 });
    assertEquals((await client.manifest("team/app", "latest"))?.bytes, bytes);
    assertEquals(registry.count("manifest-get"), 2);
  });
});

Deno.test("blob() hands on all bytes and keeps the connection", async () => {
  const { registry: held, blob } = await stocked();
  await using registry = held;
  using client = clientOf(registry.host);
  for (let round = 0; round < 3; round++) {
    const stream = await client.blob("team/app", blob.descriptor);
    assertEquals(await lengthOf(stream), blob.descriptor.size);
  }
  assertEquals(registry.connections, 1);
  assertEquals(registry.log[0]?.headers["accept-encoding"], "identity");
});

Deno.test("blob() goes on where a connection broke", async (t) => {
  for (const ranges of [true, false]) {
    await t.step(ranges ? "by range" : "by reading again what it has", async () => {
      const { registry: held, blob } = await stocked();
      await using registry = held;
      using client = clientOf(registry.host);
      registry.interfere("blob-get", { truncate: 100_000 }, {
        truncate: 200_000,
        ...(ranges ? {} : { ignoresRange: true }),
      }, ranges ? {} : { ignoresRange: true });
      const parts: Uint8Array[] = [];
      for await (const chunk of await client.blob("team/app", blob.descriptor)) parts.push(chunk);
      const all = new Uint8Array(await new Blob(parts as BlobPart[]).arrayBuffer());
      assertEquals(digestOf(all), blob.descriptor.digest);
      assertEquals(registry.count("blob-get"), 3);
      const asked = registry.log.map(({ headers }) => headers.range);
      assertEquals(asked[0], undefined);
      assert(asked.slice(1).every((range) => /^bytes=\d+-$/.test(range ?? "")), asked.join());
    });
  }
});

Deno.test("blob() fails before its end where the bytes are wrong", async (t) => {
  const cases = {
    "other bytes": {
      change: (body: Uint8Array) => body.map((byte, at) => (at === 7 ? byte ^ 1 : byte)),
    },
    "more bytes": {
      change: (body: Uint8Array) => new Uint8Array([...body, 1]),
      headers: { "content-length": undefined },
    },
    "a length that is wrong": { change: (body: Uint8Array) => body.subarray(1) },
  };
  for (const [name, interference] of Object.entries(cases)) {
    await t.step(name, async () => {
      const { registry: held, blob } = await stocked(1000);
      await using registry = held;
      using client = clientOf(registry.host);
      registry.interfere("blob-get", interference);
      const fault = await assertRejects(
        async () => await lengthOf(await client.blob("team/app", blob.descriptor)),
        Fault,
      );
      assertStringIncludes(fault.message, `another blob than ${blob.descriptor.digest}`);
      assertEquals(registry.count("blob-get"), 1);
    });
  }
});

Deno.test("smallBlob() does not read what is too large for a config", async () => {
  const { registry: held, blob } = await stocked();
  await using registry = held;
  using client = clientOf(registry.host);
  const large = { ...blob.descriptor, size: 5 * 1024 * 1024 };
  await assertRejects(() => client.smallBlob("team/app", large), Fault, "too many for a config");
  assertEquals(registry.log, []);
});

Deno.test("a blob that is cancelled gives its place back", async () => {
  const { registry: held, blob } = await stocked();
  await using registry = held;
  using client = clientOf(registry.host);
  for (let round = 0; round < 20; round++) {
    const stream = await client.blob("team/app", blob.descriptor);
    await stream.cancel();
  }
  assertEquals(registry.count("blob-get"), 20);
});

Deno.test("a redirect of a blob is followed without credentials", async () => {
  const { registry: storage, blob } = await stocked();
  await using _ = storage;
  await using registry = await FaultyRegistry.start({ basic: { user: "ann", password: "secret" } });
  using client = clientOf(registry.host, {
    IMAGES_TEST_USERNAME: "ann",
    IMAGES_TEST_PASSWORD: "secret",
  });
  const location = `http://${storage.host}/v2/team/app/blobs/${blob.descriptor.digest}?sig=a%2Fb`;
  registry.interfere("blob-get", {}, { answer: { status: 307, headers: { location } } });
  const stream = await client.blob("team/app", blob.descriptor);
  assertEquals(await lengthOf(stream), blob.descriptor.size);
  assert(registry.log.at(-1)!.headers.authorization !== undefined);
  assertEquals(storage.log.at(-1)!.headers.authorization, undefined);
  assertStringIncludes(storage.log.at(-1)!.path, "?sig=a%2Fb");
});

Deno.test("redirects are not followed forever, nor in the clear to elsewhere", async () => {
  const { registry: held, blob } = await stocked();
  await using registry = held;
  using client = clientOf(registry.host);
  const redirect = (location: string) => ({ answer: { status: 302, headers: { location } } });
  const path = `/v2/team/app/blobs/${blob.descriptor.digest}`;
  registry.interfere("blob-get", ...Array.from({ length: 6 }, () => redirect(path)));
  await assertRejects(() => client.blob("team/app", blob.descriptor), Fault, "in circles");
  registry.interfere("blob-get", redirect("file:///etc/passwd"));
  await assertRejects(() => client.blob("team/app", blob.descriptor), Fault, "it sends us to");
});

Deno.test("what is not there is told from what cannot be read", async () => {
  const { registry: held, blob } = await stocked();
  await using registry = held;
  using client = clientOf(registry.host);
  const { digest } = blobOf("nothing").descriptor;
  assertEquals(await client.hasBlob("team/app", digest), false);
  const fault = await assertRejects(
    () => client.blob("team/app", { ...blob.descriptor, digest }),
    Fault,
  );
  assertStringIncludes(fault.message, "404, BLOB_UNKNOWN");
  registry.interfere("manifest-get", refusal(400, "NAME_INVALID", "invalid repository name"));
  const invalid = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
  assertStringIncludes(invalid.message, "NAME_INVALID: invalid repository name");
});
