import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Digest } from "../../lib/model/digest.ts";
import { Fault } from "../../lib/model/errors.ts";
import { type Descriptor, MediaType } from "../../lib/model/oci.ts";
import { imageFor, imagesOf, type IndexReader } from "../../lib/oci/image_index.ts";
import type { ManifestBytes } from "../../lib/oci/open_image.ts";
import { sha256 } from "../../lib/oci/sha256.ts";

type Told = Record<string, unknown>;

/** Documents of a registry, and which of them were read. */
class Documents implements IndexReader {
  readonly read: Digest[] = [];
  readonly #bytes = new Map<Digest, Uint8Array>();

  /** Keeps a document; gives its descriptor. */
  put(mediaType: string, document: unknown): Descriptor {
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    const digest = sha256(bytes);
    this.#bytes.set(digest, bytes);
    return { mediaType, digest, size: bytes.length };
  }

  /** An image whose config has these fields. */
  image(config: Told, manifest: Told = {}): Descriptor {
    return this.put(MediaType.manifest, {
      schemaVersion: 2,
      config: this.put(MediaType.config, config),
      layers: [],
      ...manifest,
    });
  }

  index(manifests: readonly unknown[], mediaType: string = MediaType.index): Descriptor {
    return this.put(mediaType, { schemaVersion: 2, mediaType, manifests });
  }

  open(descriptor: Descriptor): ManifestBytes {
    return { descriptor, bytes: this.#bytes.get(descriptor.digest)! };
  }

  async manifest(descriptor: Descriptor): Promise<ManifestBytes | undefined> {
    this.read.push(descriptor.digest);
    return await Promise.resolve(
      this.#bytes.has(descriptor.digest) ? this.open(descriptor) : undefined,
    );
  }

  config({ digest }: Descriptor): Promise<Uint8Array> {
    return Promise.resolve(this.#bytes.get(digest)!);
  }
}

const linux = (architecture: string, more: Told = {}) => ({ os: "linux", architecture, ...more });

Deno.test("imageFor() takes the first that says it has the platform, and reads nothing for that", async () => {
  const documents = new Documents();
  const [first, second] = [documents.image(linux("amd64")), documents.image(linux("arm64"))];
  const top = documents.open(documents.index([
    { ...second, platform: { os: "unknown", architecture: "unknown" } },
    { ...second, platform: { os: "windows", architecture: "amd64", "os.version": "10.0.1" } },
    { ...second, platform: linux("amd64"), artifactType: "application/x" },
    { ...second, platform: linux("amd64", { variant: "v3" }) },
    { ...first, platform: linux("x86_64") },
    { ...second, platform: linux("amd64") },
  ]));
  assertEquals((await imageFor(top, "linux/amd64", documents, "x"))?.digest, first.digest);
  assertEquals(documents.read, []);
});

Deno.test("imageFor() follows indexes inside an index, and asks configs where nothing is told", async () => {
  const documents = new Documents();
  const arm = documents.image(linux("arm"));
  const arm64 = documents.image(linux("aarch64"));
  const attestation = {
    ...documents.image({}),
    annotations: { "vnd.docker.reference.type": "attestation-manifest" },
  };
  const artifact = documents.image({}, { artifactType: "application/vnd.example" });
  const damaged = documents.image({ os: 7 });
  const missing = { ...arm, digest: sha256("not there") };
  const inner = documents.index([arm, attestation]);
  const other = documents.index([]);
  const top = documents.open(documents.index([
    missing,
    artifact,
    damaged,
    { ...other, platform: linux("s390x") },
    documents.index([inner], MediaType.dockerIndex),
    arm64,
  ]));
  assertEquals((await imageFor(top, "linux/arm/v7", documents, "x"))?.digest, arm.digest);
  assertEquals(documents.read.includes(other.digest), false);
  assertEquals(documents.read.includes(attestation.digest), false);
  assertEquals((await imageFor(top, "linux/arm64", documents, "x"))?.digest, arm64.digest);
  assertEquals(await imageFor(top, "linux/s390x", documents, "x"), undefined);
  assertEquals([...(await imagesOf(top, documents, "x")).keys()], ["linux/arm/v7", "linux/arm64"]);
});

Deno.test("imageFor() takes a lesser variant where there is no better one", async () => {
  const documents = new Documents();
  const [v5, v6] = [documents.image(linux("arm")), documents.image(linux("arm", { x: 1 }))];
  const top = documents.open(documents.index([
    { ...v5, platform: linux("arm", { variant: "v5" }) },
    { ...v6, platform: linux("arm", { variant: "6" }) },
  ]));
  assertEquals((await imageFor(top, "linux/arm/v7", documents, "x"))?.digest, v6.digest);
  assertEquals((await imageFor(top, "linux/arm/v5", documents, "x"))?.digest, v5.digest);
  assertEquals(await imageFor(top, "linux/arm64", documents, "x"), undefined);
});

Deno.test("imageFor() gives up an index that has no bottom, and says what is wrong with the only image", async () => {
  const documents = new Documents();
  let nested = documents.index([documents.image(linux("amd64"))]);
  for (let depth = 0; depth < 10; depth++) nested = documents.index([nested]);
  const deep = await assertRejects(
    () => imageFor(documents.open(nested), "linux/amd64", documents, "deep"),
    Fault,
  );
  assertStringIncludes(deep.message, "nested more than");
  const many = Array.from({ length: 300 }, (_, n) => documents.image(linux("arm64", { n })));
  const wide = await assertRejects(
    () => imageFor(documents.open(documents.index(many)), "linux/amd64", documents, "wide"),
    Fault,
  );
  assertStringIncludes(wide.message, "200 documents");
  const odd = documents.open(documents.index([documents.image({ os: 7, architecture: "amd64" })]));
  const fault = await assertRejects(() => imageFor(odd, "linux/amd64", documents, "odd"), Fault);
  assertStringIncludes(fault.message, "os is 7, not a text");
  assertEquals(fault.where, "odd");
});
