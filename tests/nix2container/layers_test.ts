import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import type { Layer } from "../../lib/model/image.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import { writeTar } from "../../lib/oci/tar.ts";
import type { JsonPath } from "../../plugins/nix2container/image_json.ts";
import type { LayerData } from "../../plugins/nix2container/layer_data.ts";
import { layerEntries } from "../../plugins/nix2container/layer_entries.ts";
import { tarEntries } from "../../plugins/nix2container/layer_tar.ts";
import { listLayer, openLayer } from "../../plugins/nix2container/open_layer.ts";
import { runTool } from "../support/real/program.ts";
import { tempFolder } from "../support/real/temp_folder.ts";

const HASH = "0c8mybzz0k6x5cdl2ib0y3dwj2dqv2zr";

/** A folder that looks like a store with one path in it, and the layer of that path. */
class Store implements AsyncDisposable {
  readonly path: string;
  readonly data: LayerData;
  layer!: Layer;
  readonly #temp: AsyncDisposable & { readonly path: string };

  private constructor(temp: AsyncDisposable & { readonly path: string }) {
    this.#temp = temp;
    this.path = `${temp.path}/store/${HASH}-hello`;
    const rewrite = { regex: `^${this.path}`, repl: "" };
    this.data = {
      base: "/",
      storeRoot: "",
      paths: [{ path: this.path, rewrite }],
      // Making the store may take a while, and is no change after the build.
      builtAt: Date.now() + 60_000,
    };
  }

  static async create(): Promise<Store> {
    const store = new Store(await tempFolder("store"));
    Deno.mkdirSync(`${store.path}/bin`, { recursive: true });
    Deno.writeTextFileSync(`${store.path}/bin/hello`, "hello\n");
    Deno.writeTextFileSync(`${store.path}/notes`, "notes\n");
    Deno.symlinkSync("../notes", `${store.path}/bin/link`);
    await store.seal();
    const bytes = await bytesIn(
      ReadableStream.from(writeTar(tarEntries(store.data.paths, store.data))),
    );
    const digest = sha256(bytes);
    const mediaType = "application/vnd.oci.image.layer.v1.tar";
    store.layer = {
      descriptor: { mediaType, digest, size: bytes.length },
      diffId: digest,
      places: [],
    };
    return store;
  }

  /** Modes and times as Nix leaves them. */
  async seal(): Promise<void> {
    await runTool(["chmod", "-R", "a-w,a+rX", this.path]);
    await runTool(["chmod", "555", `${this.path}/bin/hello`]);
    await runTool(["find", this.path, "-exec", "touch", "-h", "-d", "@1", "{}", "+"]);
  }

  async failure(data: LayerData = this.data): Promise<Fault> {
    return await assertRejects(() => bytesIn(openLayer(this.layer, data)), Fault);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temp[Symbol.asyncDispose]();
  }
}

async function bytesIn(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("a layer that comes out otherwise names the path and what is wrong with it", async (t) => {
  await using store = await Store.create();
  const file = `${store.path}/bin/hello`;
  assertEquals(
    (await bytesIn(openLayer(store.layer, store.data))).length,
    store.layer.descriptor.size,
  );

  await t.step("mode", async () => {
    Deno.chmodSync(file, 0o755);
    const { message, next } = await store.failure();
    assertStringIncludes(message, `${file} has mode 0755, and Nix leaves 0444 or 0555`);
    assert(!message.includes("notes"), message);
    assertStringIncludes(next ?? "", `--repair-path ${store.path}`);
  });

  await t.step("content, by its time", async () => {
    await store.seal();
    Deno.writeTextFileSync(file, "hullo\n");
    const { message } = await store.failure();
    assertStringIncludes(message, `${file} was written 20`);
  });

  await t.step("size", async () => {
    Deno.writeTextFileSync(file, "x".repeat(2000));
    const { message } = await store.failure();
    assertStringIncludes(message, `of ${store.layer.descriptor.size + 1536} bytes`);
  });

  await t.step("content under the old mode and time, after the build", async () => {
    Deno.writeTextFileSync(file, "hullo\n");
    await store.seal();
    const earlier = { ...store.data, builtAt: store.data.builtAt - 120_000 };
    assertStringIncludes(
      (await store.failure(earlier)).message,
      `${file} was changed after the build`,
    );
    const later = { ...store.data, builtAt: Date.now() + 60_000 };
    assertStringIncludes(
      (await store.failure(later)).message,
      "none of its paths was changed here",
    );
  });
});

Deno.test("a layer of another size than it is said to have is refused although its digest is right", async () => {
  await using store = await Store.create();
  const { descriptor } = store.layer;
  for (const size of [0, descriptor.size - 1, descriptor.size + 1]) {
    const layer = { ...store.layer, descriptor: { ...descriptor, size } };
    const { message, where } = await assertRejects(
      () => bytesIn(openLayer(layer, store.data)),
      Fault,
    );
    assertStringIncludes(message, `has ${descriptor.size} bytes, not ${size}`);
    assertEquals(where, store.path);
  }
});

Deno.test("a stream that is aborted ends, and leaves no file open", async () => {
  await using store = await Store.create();
  const stop = new AbortController();
  stop.abort(new Fault("Interrupted", { kind: "interrupted" }));
  await assertRejects(() => bytesIn(openLayer(store.layer, store.data, stop.signal)), Fault);
  await openLayer(store.layer, store.data).cancel();
});

Deno.test("a layer's files are listed through its rewrites, perms and links", async () => {
  await using store = await Store.create();
  const perm = { regex: "/notes$", mode: "0600", uid: 7, gid: 8, uname: "", gname: "" };
  const paths = [{ ...store.data.paths[0]!, perms: [perm] }];
  const listed = listLayer({ ...store.data, paths })!;
  const at = (path: string) => listed.find((member) => member.path === path);
  assertEquals(at("/bin/link")?.linkTarget, "../notes");
  assertEquals(at("/bin/hello")?.mode, 0o555);
  const { mode, uid, gid, size } = at("/notes")!;
  assertEquals([mode, uid, gid, size], [0o600, 7, 8, 6]);
  assertEquals(listLayer({ ...store.data, layerPath: "/x" }), undefined);
});

Deno.test("two paths may meet where they are alike; else the error names both", async () => {
  await using temp = await tempFolder("meet");
  const base = temp.path;
  for (const [path, text, mode] of [["a/x", "1", 0o644], ["b/x", "2", 0o644]] as const) {
    Deno.mkdirSync(`${base}/${path.slice(0, 1)}`);
    Deno.writeTextFileSync(`${base}/${path}`, text, { mode });
  }
  const to = (path: string, perms?: JsonPath["perms"]): JsonPath => ({
    path,
    rewrite: { regex: `^${path}`, repl: "/r" },
    ...(perms === undefined ? {} : { perms }),
  });
  const entries = (...paths: JsonPath[]) => [...layerEntries(paths, { base, storeRoot: "" })];
  const last = entries(to("a"), to("b")).find((entry) => entry.path === "/r/x");
  assertEquals(last?.found?.source, "b/x");
  const rule = { regex: ".", mode: "", uid: 1, gid: 1, uname: "", gname: "" };
  const collide = (...paths: JsonPath[]) => assertThrows(() => entries(...paths), Fault).message;
  assertStringIncludes(collide(to("a", [rule]), to("b")), "a different perms: a and b");
  Deno.writeTextFileSync(`${base}/b/x`, "22");
  assertStringIncludes(collide(to("a"), to("b")), "a different size: a/x (1) and b/x (2)");
  Deno.chmodSync(`${base}/b/x`, 0o600);
  assertStringIncludes(collide(to("a"), to("b")), "a different mode: a/x (0644) and b/x (0600)");
  Deno.removeSync(`${base}/b/x`);
  Deno.symlinkSync("1", `${base}/b/x`);
  assertStringIncludes(collide(to("a"), to("b")), "a different type: a/x (file) and b/x (symlink)");
  assertStringIncludes(collide({ path: "gone" }), "is not there");
  await runTool(["mkfifo", `${base}/b/pipe`]);
  assertStringIncludes(collide({ path: "b" }), "Only files, folders and links");
});
