/** Pushes and pulls while anything may go wrong: what arrives is right all the same. */

import { assert, assertEquals } from "@std/assert";
import { MediaType } from "../../lib/model/oci.ts";
import type { RegistryClient } from "../../lib/registry/client.ts";
import { randomFrom } from "../support/random.ts";
import { anyInterference, type Kind } from "../support/registry/interference.ts";
import { digestOf } from "../support/registry/store.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { full } from "../support/tools.ts";
import { blobOf, clientOf, lengthOf, manifestOf } from "./rig.ts";

/** The share of requests that something befalls. */
const RATE = 0.3;

async function pushAndPull(client: RegistryClient, registry: FaultyRegistry, seed: number) {
  const blobs = Array.from({ length: 6 }, (_, at) => blobOf(`${seed} ${at} `.repeat(100 + at)));
  const shared = blobOf("shared");
  registry.store.putBlob("team/base", shared.descriptor.digest, shared.bytes);
  const stream = (bytes: Uint8Array) => () =>
    Promise.resolve(ReadableStream.from([bytes.subarray(0, 50), bytes.subarray(50)]));
  const [config, ...layers] = blobs;
  let bytes = 0;
  const onBytes = (count: number) => bytes += count;
  await Promise.all([
    client.upload("team/app", config!.descriptor, () => config!.bytes, { onBytes }),
    client.upload("team/app", shared.descriptor, () => shared.bytes, { from: ["team/base"] }),
    ...layers.map((layer, at) =>
      at % 2 === 0
        ? client.upload("team/app", layer.descriptor, stream(layer.bytes), { onBytes })
        : client.uploadStream("team/app", stream(layer.bytes), { onBytes })
    ),
  ]);
  const manifest = manifestOf(config!.descriptor);
  await client.putManifest("team/app", "latest", MediaType.manifest, manifest);
  assertEquals((await client.manifest("team/app", "latest"))?.bytes, manifest);
  assertEquals((await client.probe("team/app", "latest"))?.digest, digestOf(manifest));
  for (const { descriptor, bytes } of [...blobs, shared]) {
    assertEquals(registry.store.blob("team/app", descriptor.digest)?.length, bytes.length);
    assertEquals(await lengthOf(await client.blob("team/app", descriptor)), bytes.length);
  }
  const sent = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0);
  assert(bytes === sent, `${bytes} bytes were told of, ${sent} were to be sent`);
}

Deno.test("whatever befalls requests, images arrive whole", async (t) => {
  const seeds = full ? 300 : 12;
  for (let seed = 1; seed <= seeds; seed++) {
    await t.step(`seed ${seed}`, async () => {
      const random = randomFrom(seed);
      const befalls = (kind: Kind) => random() < RATE ? anyInterference(kind, random()) : undefined;
      await using registry = await FaultyRegistry.start({ campaign: befalls });
      using client = clientOf(registry.host, {}, { pacing: { base: 1, cap: 2, tries: 25 } });
      await pushAndPull(client, registry, seed);
      assert(registry.log.some(({ status = 0 }) => status === 0 || status >= 429));
    });
  }
});
