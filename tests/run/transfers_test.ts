import { assertEquals } from "@std/assert";
import { FileIndex } from "../../lib/files/index.ts";
import { selectionOf } from "../../lib/files/selection.ts";
import type { LocalImage, OpenableLayer } from "../../lib/model/image.ts";
import { MediaType } from "../../lib/model/oci.ts";
import type { Progress } from "../../lib/model/plugin.ts";
import { Meter, pulled } from "../../lib/run/transfers.ts";
import { Layout } from "../../lib/store/layout.ts";
import { State } from "../../lib/store/state.ts";

const MIB = 1024 * 1024;

Deno.test("Meter tells of whole steps, and of bytes that must go again", () => {
  const told: Progress[] = [];
  const meter = new Meter("writing", (progress) => told.push(progress), 4 * MIB);
  for (const bytes of [1, MIB - 2, 1, MIB / 2, 2 * MIB, -3 * MIB]) meter.add(bytes);
  assertEquals(told.map(({ done }) => done), [MIB, 3.5 * MIB, 0.5 * MIB]);
  assertEquals(told[0], { phase: "writing", done: MIB, total: 4 * MIB, unit: "bytes" });
});

Deno.test("pulled() tells of layers that come from a registry, and of no others", async () => {
  const folder = await Deno.makeTempDir({ prefix: "images-transfers-" });
  try {
    const layout = new Layout(State.of(folder));
    const bytes = new Uint8Array(3 * MIB).fill(7);
    const registry = [{ at: "registry", host: "localhost", repository: "app" }] as const;
    const here = await layout.write(MediaType.layer, new Uint8Array(2 * MIB));
    const layer = (size: number, more: Partial<OpenableLayer>) => ({
      descriptor: { mediaType: MediaType.layer, digest: `sha256:${"0".repeat(64)}`, size },
      open: () => Promise.resolve(ReadableStream.from([bytes.slice(0, size)])),
      ...more,
    } as OpenableLayer);
    const image = {
      layers: [
        layer(bytes.length, { places: registry }),
        layer(here.size, { places: registry, descriptor: here }),
        layer(bytes.length, { places: [{ at: "plugin", data: null }] }),
      ],
    } as unknown as LocalImage;
    const told: Progress[] = [];
    for (const each of pulled(image, layout, (progress) => told.push(progress)).layers) {
      const read = await new Response(await each.open()).bytes();
      assertEquals(read.length, each.descriptor.size);
    }
    const total = bytes.length;
    assertEquals(told, [{ phase: "pulling", done: total, total, unit: "bytes" }]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("reading a big tree tells how far it is, and ends with all of it", async () => {
  const parent = await Deno.makeTempDir({ prefix: "images-transfers-" });
  try {
    const root = `${parent}/tree`;
    Deno.mkdirSync(root);
    // They have holes only, so they take no place on the disk.
    for (const [name, size] of [["a", 65 * MIB], ["b", 70 * MIB], ["c", 1]] as const) {
      using file = Deno.createSync(`${root}/${name}`);
      file.truncateSync(size);
    }
    const index = FileIndex.open(root, `${parent}/index`);
    const told: number[][] = [];
    const onRead = (done: number, total: number) => told.push([done, total]);
    await index.tree([selectionOf(["**"])], { onRead });
    const total = 135 * MIB + 1;
    assertEquals(told.at(-1), [total, total]);
    assertEquals(told.length, 3);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});
