import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { type Interference, refusal } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { blobOf, clientOf, largeBlob } from "./rig.ts";

const MiB = 1024 * 1024;

Deno.test("upload() looks, begins, and sends the blob with its length in one PUT", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const { descriptor, bytes } = blobOf("hello");
  assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
  assertEquals(registry.kinds(), ["blob-head", "upload-begin", "upload-put"]);
  const { headers, path } = registry.log[2]!;
  assertEquals(headers["content-length"], "5");
  assertEquals(headers["transfer-encoding"], undefined);
  assert(
    path.endsWith(`?_state=a%2Bb%3D%3D&digest=${encodeURIComponent(descriptor.digest)}`),
    path,
  );
  assertEquals(await client.upload("team/app", descriptor, () => bytes), "present");
  assertEquals(registry.count("upload-begin"), 1);
});

Deno.test("upload() of an empty blob has a length too", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const { descriptor } = blobOf("");
  const open = () => Promise.resolve(ReadableStream.from<Uint8Array>([]));
  assertEquals(await client.upload("team/app", descriptor, open), "uploaded");
  assertEquals(registry.log.at(-1)?.headers["content-length"], "0");
});

Deno.test("uploadStream() sends one PATCH without a range, and an empty PUT", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const layer = largeBlob(5);
  let seen = 0;
  const sent = await client.uploadStream("team/app", layer.open, { onBytes: (n) => seen += n });
  assertEquals(sent, { digest: layer.descriptor.digest, size: layer.descriptor.size });
  assertEquals(registry.kinds(), ["upload-begin", "upload-patch", "upload-put"]);
  const [, patch, put] = registry.log;
  assertEquals(patch?.headers["content-range"], undefined);
  assertEquals(patch?.headers["transfer-encoding"], "chunked");
  assertEquals([patch?.received, put?.received, put?.headers["content-length"]], [5 * MiB, 0, "0"]);
  assertEquals(seen, 5 * MiB);
});

Deno.test("a mount is tried with its source, and does without where it is refused", async (t) => {
  const cases = [
    { name: "granted", quirks: {}, kinds: ["blob-head", "mount"], arrival: "mounted" },
    {
      name: "not taken up",
      quirks: { ignoresMounts: true },
      kinds: ["blob-head", "mount", "upload-put"],
      arrival: "uploaded",
    },
    {
      name: "refused with 401, as GitLab does",
      quirks: { refusesMounts: true },
      kinds: ["blob-head", "mount", "upload-begin", "upload-put"],
      arrival: "uploaded",
    },
  ];
  for (const { name, quirks, kinds, arrival } of cases) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({ quirks });
      using client = clientOf(registry.host);
      const { descriptor, bytes } = blobOf("shared");
      registry.store.putBlob("team/base", descriptor.digest, bytes);
      const from = { from: ["team/base"] };
      assertEquals(await client.upload("team/app", descriptor, () => bytes, from), arrival);
      assertEquals(registry.kinds().filter((kind) => kind !== "ping"), kinds);
      const mount = registry.log.find(({ kind }) => kind === "mount");
      assertStringIncludes(mount!.path, "&from=team%2Fbase");
    });
  }
});

Deno.test("mount() leaves no upload behind where the registry begins one", async () => {
  await using registry = await FaultyRegistry.start({ quirks: { ignoresMounts: true } });
  using client = clientOf(registry.host);
  assertEquals(await client.mount("team/app", blobOf("x").descriptor.digest, "team/base"), false);
  assertEquals(registry.kinds(), ["mount", "upload-delete"]);
  assertEquals(registry.store.openUploads, 0);
});

Deno.test("a commit whose answer was lost is settled by looking", async (t) => {
  const lost: Record<string, Interference> = {
    "the connection breaks": { reset: "instead of answering", handled: true },
    "404, as GHCR answers": { ...refusal(404, "BLOB_UPLOAD_UNKNOWN"), handled: true },
    "502 from a proxy": { answer: { status: 502 }, handled: true },
  };
  for (const [name, interference] of Object.entries(lost)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("upload-put", interference);
      const layer = largeBlob(1);
      assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "uploaded");
      assertEquals([layer.opened, registry.count("upload-begin")], [1, 1]);
      registry.interfere("upload-put", interference);
      const streamed = largeBlob(1, 2);
      await client.uploadStream("team/app", streamed.open);
      assertEquals(streamed.opened, 1);
    });
  }
});

Deno.test("a failed upload starts again from HEAD, its body opened anew", async (t) => {
  const failures: Record<string, Interference> = {
    "500": refusal(500, "UNKNOWN"),
    "an early 503": { ...refusal(503, "UNAVAILABLE"), early: true },
    "a reset in the middle": { reset: { afterReading: MiB } },
    "a reset at once": { reset: "at once" },
    "404 for an upload that is gone": refusal(404, "BLOB_UPLOAD_UNKNOWN"),
  };
  for (const [name, failure] of Object.entries(failures)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("upload-put", failure, failure);
      const layer = largeBlob(3);
      let seen = 0;
      const onBytes = (bytes: number) => seen += bytes;
      const { descriptor, open } = layer;
      assertEquals(await client.upload("team/app", descriptor, open, { onBytes }), "uploaded");
      assertEquals(registry.store.blobsOf("team/app"), [descriptor.digest]);
      assertEquals([layer.opened, seen], [3, 3 * MiB]);
      assertEquals(registry.store.openUploads, 0);
    });
  }
});

Deno.test("an upload that fails for good leaves nothing behind and says why", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host, {}, { pacing: { tries: 2, base: 1, cap: 1 } });
  const full = refusal(500, "UNKNOWN", "write /data: no space left on device");
  registry.interfere("upload-put", full, full);
  const { descriptor, bytes } = blobOf("hello");
  const fault = await assertRejects(
    () => client.upload("team/app", descriptor, () => bytes),
    Fault,
  );
  assertStringIncludes(fault.message, "no space left on device");
  assertEquals(fault.next, "free space at the registry");
  assertEquals(fault.where, `${registry.host}/team/app`);
  assertEquals(registry.store.openUploads, 0);
});

Deno.test("a blob that is not as long as it should be is no fault of the registry", async (t) => {
  for (const [name, content] of [["shorter", "hell"], ["longer", "hello, world"]] as const) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      const { descriptor } = blobOf("hello");
      const open = () => Promise.resolve(ReadableStream.from([blobOf(content).bytes]));
      const fault = await assertRejects(() => client.upload("team/app", descriptor, open), Fault);
      assertStringIncludes(fault.message, "the 5 bytes it should have");
      assertEquals(registry.store.blobsOf("team/app"), []);
    });
  }
});

Deno.test("what fails while it is read fails the upload, once", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const broken = new Fault("The disk is gone");
  const open = () =>
    Promise.resolve(
      new ReadableStream<Uint8Array>({
        pull: (controller) => controller.error(broken),
      }),
    );
  const fault = await assertRejects(() => client.uploadStream("team/app", open), Fault);
  assertEquals(fault.message, "The disk is gone");
  assertEquals(registry.count("upload-begin"), 1);
});

Deno.test("a blob goes in pieces where it is not taken whole", async (t) => {
  const quirks = {
    "a proxy takes 5 MiB at most": { bodyLimit: 5 * MiB },
    "GHCR takes pieces of 4 MiB": { bodyLimit: 5 * MiB, contentRangeLimit: 4 * MiB },
    "each keeps a part only": { bodyLimit: 5 * MiB, keepsOfPatch: 3 * MiB },
  };
  for (const [name, quirk] of Object.entries(quirks)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({ quirks: quirk });
      using client = clientOf(registry.host);
      const layer = largeBlob(9);
      assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "uploaded");
      assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
      const ranges = registry.log.filter(({ kind }) => kind === "upload-patch")
        .map(({ headers }) => headers["content-range"]);
      assertEquals(ranges[0], `0-${4 * MiB - 1}`);
      assert(ranges.length >= 3, ranges.join());
    });
  }
  await t.step("each as large as the registry asks for", async () => {
    const leastPiece = 5 * MiB;
    await using registry = await FaultyRegistry.start({
      quirks: { wantsLength: true, leastPiece },
    });
    using client = clientOf(registry.host);
    const layer = largeBlob(11);
    await client.uploadStream("team/app", layer.open);
    const sizes = registry.log.filter(({ kind }) => kind === "upload-patch").slice(1)
      .map(({ headers }) => Number(headers["content-length"]));
    assertEquals(sizes, [5 * MiB, 5 * MiB, MiB]);
    assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
  });
  await t.step("a stream, where a length is wanted", async () => {
    await using registry = await FaultyRegistry.start({ quirks: { wantsLength: true } });
    using client = clientOf(registry.host);
    const layer = largeBlob(6);
    const sent = await client.uploadStream("team/app", layer.open);
    assertEquals(sent.digest, layer.descriptor.digest);
    assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
  });
});

Deno.test("a blob that never gets through whole goes in pieces", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const layer = largeBlob(9);
  const cut: Interference = { reset: { afterReading: 5 * MiB } };
  registry.interfere("upload-put", cut, cut, cut);
  assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "uploaded");
  assertEquals(registry.count("upload-patch"), 3);
  assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
});

Deno.test("a piece is taken up where the registry says it broke", async (t) => {
  const start = () => FaultyRegistry.start({ quirks: { wantsLength: true } });
  await t.step("a refused piece", async () => {
    await using registry = await start();
    using client = clientOf(registry.host);
    const layer = largeBlob(9);
    // The first is the streamed one, which is refused for want of a length.
    registry.interfere("upload-patch", {}, refusal(503, "UNAVAILABLE"), {}, {
      ...refusal(502, "UNKNOWN"),
      handled: true,
    });
    await client.uploadStream("team/app", layer.open);
    assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
    assertEquals(registry.count("upload-status"), 2);
    assertEquals(layer.opened, 2);
  });
  await t.step("416 tells where to go on", async () => {
    await using registry = await start();
    using client = clientOf(registry.host);
    const layer = largeBlob(5);
    registry.interfere("upload-patch", {}, { answer: { status: 416 }, handled: true });
    await client.uploadStream("team/app", layer.open);
    assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
    assertEquals(registry.count("upload-status"), 1);
  });
  await t.step("a range that does not advance is not trusted", async () => {
    await using registry = await FaultyRegistry.start({
      quirks: { wantsLength: true, keepsOfPatch: 0 },
    });
    using client = clientOf(registry.host, {}, { pacing: { tries: 3, base: 1, cap: 1 } });
    const fault = await assertRejects(
      () => client.uploadStream("team/app", largeBlob(1).open),
      Fault,
    );
    assertStringIncludes(fault.message, "says it has 0 bytes");
    assert(registry.count("upload-patch") <= 3);
  });
});

Deno.test("a registry may send each request of an upload elsewhere on its host", async (t) => {
  const locations: Record<string, (path: string) => string> = {
    "an absolute path": (path) => path,
    "a path beside": (path) => path.slice(path.lastIndexOf("/") + 1),
  };
  for (const [name, location] of Object.entries(locations)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({ quirks: { location } });
      using client = clientOf(registry.host);
      const layer = largeBlob(1);
      await client.uploadStream("team/app", layer.open);
      assertEquals(registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
    });
  }
});

Deno.test("a Location on another host gets the blob and no credentials", async () => {
  await using storage = await FaultyRegistry.start();
  const basic = { user: "ann", password: "correct horse" };
  await using registry = await FaultyRegistry.start({
    basic,
    quirks: { location: (path) => `http://${storage.host}${path}&signature=x%2Fy` },
  });
  using client = clientOf(registry.host, {
    IMAGES_TEST_USERNAME: basic.user,
    IMAGES_TEST_PASSWORD: basic.password,
  });
  const { descriptor, bytes } = blobOf("hello");
  const id = storage.store.begin("team/app");
  assertEquals(id, "upload-1");
  assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
  assertEquals(storage.store.blobsOf("team/app"), [descriptor.digest]);
  const [put] = storage.log;
  assertEquals(put?.headers.authorization, undefined);
  assertStringIncludes(put!.path, "&signature=x%2Fy&digest=");
  assert(registry.log.some(({ headers }) => headers.authorization !== undefined));
});

Deno.test("a hostile Location is not followed", async (t) => {
  const hostile: Record<string, string | undefined> = {
    "another scheme": "ftp://example.com/upload",
    "no URL": "http://[",
    "none": undefined,
  };
  for (const [name, location] of Object.entries(hostile)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("upload-begin", { headers: { location } });
      const { descriptor, bytes } = blobOf("hello");
      const fault = await assertRejects(
        () => client.upload("team/app", descriptor, () => bytes),
        Fault,
      );
      assertStringIncludes(fault.message, "Cannot upload a blob: it ");
      assertEquals(registry.count("upload-put"), 0);
    });
  }
});

Deno.test("an interrupted upload is taken back at the registry", async () => {
  await using registry = await FaultyRegistry.start();
  const stop = new AbortController();
  using client = clientOf(registry.host, {}, { signal: stop.signal });
  const layer = largeBlob(8);
  const onBytes = () => stop.abort(new Fault("Interrupted", { kind: "interrupted" }));
  const fault = await assertRejects(
    () => client.upload("team/app", layer.descriptor, layer.open, { onBytes }),
    Fault,
  );
  assertEquals(fault.kind, "interrupted");
  assertEquals(registry.count("upload-delete"), 1);
  assertEquals(registry.store.openUploads, 0);
});

Deno.test("a digest that the registry does not confirm is a fault", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const wrong = `sha256:${"0".repeat(64)}`;
  registry.interfere("upload-put", { headers: { "docker-content-digest": wrong } });
  const { descriptor, bytes } = blobOf("hello");
  const fault = await assertRejects(
    () => client.upload("team/app", descriptor, () => bytes),
    Fault,
  );
  assertStringIncludes(fault.message, `as ${wrong}`);
});

Deno.test("blobs go six at once, and no more", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const blobs = Array.from({ length: 12 }, (_, at) => blobOf(`blob ${at}`));
  registry.interfere("upload-put", ...blobs.map(() => ({ wait: () => gate })));
  const uploads = blobs.map(({ descriptor, bytes }) =>
    client.upload("team/app", descriptor, () => bytes)
  );
  await registry.reached(6);
  open();
  assertEquals(await Promise.all(uploads), blobs.map(() => "uploaded"));
  assertEquals(registry.mostAtOnce, 6);
});
