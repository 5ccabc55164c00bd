import { assert, assertEquals, assertRejects } from "@std/assert";
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import fc from "fast-check";
import { Fault } from "../../lib/model/errors.ts";
import { Compressor } from "../../lib/oci/compress.ts";
import { BLOCK_SIZE } from "../../lib/oci/compress_block.ts";
import { decompress } from "../../lib/oci/decompress.ts";

async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(ReadableStream.from(stream)).arrayBuffer());
}

/** Text-like content; making it takes longer than compressing it. */
const CONTENT = new Uint8Array(6 * BLOCK_SIZE).map((_, at) => (at * at) % 251);

/** Content of a length, cut into pieces of a size. */
function* pieces(length: number, size: number): Generator<Uint8Array> {
  for (let at = 0; at < length; at += size) yield CONTENT.slice(at, Math.min(length, at + size));
}

async function* asStream(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

for (const compression of ["gzip", "zstd"] as const) {
  Deno.test(`${compression} gives the same bytes however the content arrives`, async () => {
    using compressor = new Compressor();
    const length = 5 * BLOCK_SIZE + 12_345;
    const whole = await bytesOf(compressor.compress(asStream(pieces(length, length)), compression));
    for (const size of [1_000, 65_536, BLOCK_SIZE, BLOCK_SIZE + 1]) {
      const other = await bytesOf(compressor.compress(asStream(pieces(length, size)), compression));
      assertEquals(other, whole);
    }
    const plain = compression === "gzip"
      ? gunzipSync(whole)
      : await bytesOf(decompress(new Blob([whole as BlobPart]).stream(), "x"));
    assertEquals(plain.length, length);
    assert(whole.length < length);
  });
}

Deno.test("decompress() undoes what compress() did", async () => {
  using compressor = new Compressor();
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 5_000 }),
      fc.constantFrom("gzip", "zstd", "none"),
      async (content, kind) => {
        const compressed = compressor.compress(asStream([content.slice()]), kind as "gzip");
        assertEquals(
          await bytesOf(decompress(ReadableStream.from(compressed), "x")),
          new Uint8Array(content),
        );
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("zstd frames of blocks are one valid file", async () => {
  using compressor = new Compressor();
  const length = 2 * BLOCK_SIZE;
  const compressed = await bytesOf(compressor.compress(asStream(pieces(length, length)), "zstd"));
  // Node decodes the first frame; the layer's reader all of them.
  assert(zstdDecompressSync(compressed).length >= BLOCK_SIZE);
  assertEquals(
    (await bytesOf(decompress(new Blob([compressed as BlobPart]).stream(), "x"))).length,
    length,
  );
});

Deno.test("more streams than there are blocks share them, also when some are given up", async () => {
  using compressor = new Compressor();
  const length = 3 * BLOCK_SIZE;
  const whole = await bytesOf(compressor.compress(asStream(pieces(length, length)), "zstd"));
  const streams = Array.from({ length: 24 }, (_, at) => at);
  const results = await Promise.all(streams.map(async (at) => {
    const stream = compressor.compress(asStream(pieces(length, 300_000)), "zstd");
    if (at % 3 > 0) return await bytesOf(stream);
    await stream.next();
    await stream.return(undefined);
    return undefined;
  }));
  for (const result of results) if (result !== undefined) assertEquals(result, whole);
  assertEquals(results.filter((result) => result === undefined).length, 8);
});

Deno.test("compressors end whatever number of blocks they had", async () => {
  for (const blocks of [0, 1, 2, 3, 4]) {
    using compressor = new Compressor();
    const length = blocks * BLOCK_SIZE;
    const compressed = compressor.compress(asStream(pieces(length, BLOCK_SIZE)), "zstd");
    assertEquals((await bytesOf(compressed)).length > 0, blocks > 0);
  }
});

Deno.test("what is compressed already is stored, not made larger", async () => {
  using compressor = new Compressor();
  const noise = new Uint8Array(3 * BLOCK_SIZE);
  for (let at = 0; at < noise.length; at += 65_536) {
    crypto.getRandomValues(noise.subarray(at, at + 65_536));
  }
  for (const compression of ["gzip", "zstd"] as const) {
    const stored = await bytesOf(compressor.compress(asStream([noise.slice()]), compression));
    assert(stored.length < noise.length + 3 * 200, `${compression}: ${stored.length}`);
    const plain = await bytesOf(decompress(new Blob([stored as BlobPart]).stream(), "x"));
    assertEquals(plain, noise);
  }
});

/** A stream that is read into its reader's buffer, and breaks after so many bytes. */
function byteStream(content: Uint8Array, breaksAt = Infinity): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: 10_000,
    pull(controller) {
      const request = controller.byobRequest!;
      const { buffer, byteOffset, byteLength } = request.view!;
      if (at >= breaksAt) return controller.error(new Error("it broke"));
      const piece = content.subarray(at, at + Math.min(byteLength, 70_000));
      new Uint8Array(buffer).set(piece, byteOffset);
      at += piece.length;
      if (piece.length === 0) controller.close();
      request.respond(piece.length);
    },
  });
}

Deno.test("bytes read straight into blocks give the same, and broken streams take none away", async () => {
  using compressor = new Compressor();
  for (const length of [0, 1, BLOCK_SIZE, 2 * BLOCK_SIZE, 2 * BLOCK_SIZE + 77]) {
    const content = CONTENT.subarray(0, length);
    const copied = await bytesOf(compressor.compress(asStream([content.slice()]), "zstd"));
    assertEquals(await bytesOf(compressor.compress(byteStream(content), "zstd")), copied);
  }
  const content = new Uint8Array(3 * BLOCK_SIZE);
  for (let count = 0; count < 40; count++) {
    const broken = compressor.compress(byteStream(content, BLOCK_SIZE + 5_000), "zstd");
    await assertRejects(() => bytesOf(broken), Error, "it broke");
  }
  const whole = await bytesOf(compressor.compress(byteStream(content), "zstd"));
  assertEquals(await bytesOf(decompress(new Blob([whole as BlobPart]).stream(), "x")), content);
});

Deno.test("decompress() reads zstd of many frames, gzip of many members, in chunks of any size", async () => {
  const plain = new TextEncoder().encode("some text that is long enough to be cut in parts");
  const parts = [plain.subarray(0, 7), plain.subarray(7, 20), plain.subarray(20)];
  const skipped = Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2]);
  const zstd = parts.flatMap((part) => [...skipped, ...zstdCompressSync(part)]);
  const gzip = parts.flatMap((part) => [...gzipSync(part)]);
  for (const stored of [zstd, gzip].map((bytes) => Uint8Array.from(bytes))) {
    for (const size of [1, 5, 1000]) {
      const chunks = Array.from(
        { length: Math.ceil(stored.length / size) },
        (_, at) => stored.slice(at * size, (at + 1) * size),
      );
      assertEquals(await bytesOf(decompress(ReadableStream.from(chunks), "x")), plain);
    }
    for (const length of [stored.length - 1, stored.length - 20]) {
      const cut = ReadableStream.from([stored.subarray(0, length)]);
      await assertRejects(() => bytesOf(decompress(cut, "x")), Fault);
    }
  }
});
