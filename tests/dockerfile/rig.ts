/** Building with plugin dockerfile alone: a project in a temporary folder, blobs beside it. */

import { FileIndex } from "../../lib/files/index.ts";
import type { Fault } from "../../lib/model/errors.ts";
import { type Digest, hexOf } from "../../lib/model/digest.ts";
import type { ImageSource, LocalImage } from "../../lib/model/image.ts";
import { type Descriptor, type ImageConfig, MediaType } from "../../lib/model/oci.ts";
import type { BuildContext, Description, Progress } from "../../lib/model/plugin.ts";
import type { Image } from "../../lib/model/recipe.ts";
import { encodeConfig, encodeIndex, encodeManifest } from "../../lib/oci/documents.ts";
import { Sha256, sha256 } from "../../lib/oci/sha256.ts";
import { type TarEntry, writeTar } from "../../lib/oci/tar.ts";
import { plugin } from "../../plugins/dockerfile/build.ts";

/** What a recipe and the command line can say in these tests. */
export interface BuildOptions {
  readonly options?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly inputs?: readonly string[];
  readonly created?: number;
  readonly platform?: string;
  /** Values of `hostEnv` variables. */
  readonly env?: Readonly<Record<string, string>>;
  /** `--arg`. */
  readonly args?: Readonly<Record<string, string>>;
  readonly engine?: string;
  /** Images of the graph, by name. */
  readonly needs?: Readonly<Record<string, LocalImage>>;
  /** Remote bases, by normalised reference. */
  readonly bases?: Readonly<Record<string, LocalImage>>;
}

/** A built image and what led to it. */
export interface Built {
  readonly source: ImageSource;
  readonly image: LocalImage;
  readonly config: ImageConfig;
  readonly description: Description;
  /** Merkle root of the input tree. */
  readonly treeRoot: string;
}

/** A project in a folder of its own, and a store for blobs. */
export class Rig implements AsyncDisposable {
  /** Absolute path of images.ts' folder. */
  readonly root: string;
  /** Absolute path of the folder that blobs are in. */
  readonly blobs: string;
  /** How often layers were opened for reading. */
  opened = 0;
  /** What builds gave notice of. */
  readonly notices: string[] = [];
  readonly #folder: string;
  readonly #shared = new Map<string, Promise<unknown>>();

  private constructor(folder: string) {
    this.#folder = folder;
    this.root = `${folder}/project`;
    this.blobs = `${folder}/blobs`;
    Deno.mkdirSync(this.root);
    Deno.mkdirSync(this.blobs);
  }

  /** Makes a rig with these files: path → text. A path that ends in `/` is a folder. */
  static async create(files: Readonly<Record<string, string>> = {}): Promise<Rig> {
    const rig = new Rig(await Deno.realPath(await Deno.makeTempDir({ prefix: "dockerfile-" })));
    rig.write(files);
    return rig;
  }

  /** Writes files with mode 0644: path → text. */
  write(files: Readonly<Record<string, string>>): void {
    for (const [path, text] of Object.entries(files)) {
      const full = `${this.root}/${path}`;
      Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
      if (path.endsWith("/")) continue;
      Deno.writeTextFileSync(full, text);
      Deno.chmodSync(full, 0o644);
    }
  }

  /** What the plugin says goes in. */
  async describe(options: BuildOptions = {}): Promise<Description> {
    return await plugin.describe(imageOf(options), describeContext(this.root, options));
  }

  /** The key's part that the plugin decides: normal form, inputs, bases. */
  async identity(options: BuildOptions = {}): Promise<string> {
    const description = await this.describe(options);
    const tree = await this.#tree(description, options);
    return JSON.stringify([description.options, description.bases, description.images, tree.root]);
  }

  /** Paths of the input tree. */
  async inputs(options: BuildOptions = {}): Promise<string[]> {
    const tree = await this.#tree(await this.describe(options), options);
    return tree.entries.filter((entry) => entry.type !== "directory").map((entry) => entry.path);
  }

  /** Describes and builds. */
  async build(options: BuildOptions = {}): Promise<Built> {
    const image = imageOf(options);
    const description = await this.describe(options);
    const tree = await this.#tree(description, options);
    const scratch = `${this.#folder}/scratch`;
    const context: BuildContext = {
      ...describeContext(this.root, options),
      name: image.name,
      tree,
      signal: new AbortController().signal,
      created: image.common.created,
      logFile: `${this.#folder}/log`,
      log: () => {},
      notice: (message) => void this.notices.push(message),
      progress: (_: Progress) => {},
      need: (name) => found(options.needs?.[name], name),
      bases: Object.fromEntries(
        Object.entries(options.bases ?? {}).map(([name, base]) => [name, base.manifestDigest]),
      ),
      base: (reference) => found(options.bases?.[reference], reference),
      sources: {},
      source: ({ name }) => Promise.reject(new Error(`The test has no source ${name}`)),
      fetch: () => Promise.resolve(),
      writeBlob: (mediaType, content) => this.#write(mediaType, content),
      scratch: () => {
        Deno.mkdirSync(scratch, { recursive: true });
        return Promise.resolve(scratch);
      },
      run: async ([program = "", ...args]) => {
        const { code } = await new Deno.Command(program, { args, cwd: this.root }).output();
        return { code, stdout: "" };
      },
      once: <T>(name: string, make: (context: BuildContext) => Promise<T>): Promise<T> => {
        if (!this.#shared.has(name)) this.#shared.set(name, make(context));
        return this.#shared.get(name) as Promise<T>;
      },
    };
    const source = await plugin.build({ image, description, context });
    const local = this.#localImage(image.name, options.platform ?? "linux/amd64", source);
    return { source, image: local, config: local.config, description, treeRoot: tree.root };
  }

  /** An image whose layers hold these entries, the lowest first. */
  async image(name: string, layers: readonly (readonly TarEntry[])[]): Promise<LocalImage> {
    return await this.#image(name, layers.map((entries) => writeTar(entries)));
  }

  /** An image whose layers are these archives, the lowest first. */
  async rawImage(name: string, layers: readonly Uint8Array[]): Promise<LocalImage> {
    return await this.#image(name, layers.map((tar) => ReadableStream.from([tar])));
  }

  async #image(name: string, layers: readonly AsyncIterable<Uint8Array>[]): Promise<LocalImage> {
    const descriptors = await Promise.all(
      layers.map((content) => this.#write(MediaType.layer, content)),
    );
    const diffIds = descriptors.map(({ digest }) => digest);
    return this.#localImage(name, "linux/amd64", {
      config: encodeConfig({
        created: "1970-01-01T00:00:00Z",
        architecture: "amd64",
        os: "linux",
        config: {},
        rootfs: { type: "layers", diff_ids: diffIds },
        history: [],
      }),
      layers: descriptors.map((descriptor) => ({
        descriptor,
        diffId: descriptor.digest,
        places: [{ at: "layout" }],
      })),
    });
  }

  /** The fault that a build ends in. */
  async fault(options: BuildOptions = {}): Promise<Fault> {
    try {
      await this.build(options);
    } catch (error) {
      if ((error as Error).name === "Fault") return error as Fault;
      throw error;
    }
    throw new Error("The build did not fail");
  }

  /** Writes an OCI layout with one image, called `latest`; gives its absolute path. */
  layout(image: LocalImage): string {
    const layout = `${this.#folder}/layout-${hexOf(image.manifestDigest)}`;
    Deno.mkdirSync(`${layout}/blobs/sha256`, { recursive: true });
    const put = (digest: Digest, bytes: Uint8Array) =>
      Deno.writeFileSync(`${layout}/blobs/sha256/${hexOf(digest)}`, bytes);
    put(image.imageId, image.configBytes);
    put(image.manifestDigest, image.manifest);
    for (const { diffId } of image.layers) {
      put(diffId, Deno.readFileSync(`${this.blobs}/${hexOf(diffId)}`));
    }
    const descriptor = {
      mediaType: image.manifestMediaType,
      digest: image.manifestDigest,
      size: image.manifest.length,
      annotations: { "org.opencontainers.image.ref.name": "latest" },
    };
    Deno.writeFileSync(`${layout}/index.json`, encodeIndex({ manifests: [descriptor] }));
    Deno.writeTextFileSync(`${layout}/oci-layout`, '{"imageLayoutVersion":"1.0.0"}');
    return layout;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #tree(description: Description, { inputs = [] }: BuildOptions) {
    const own = inputs.length === 0 ? [] : [{ root: ".", include: inputs }];
    const index = FileIndex.open(this.root, `${this.#folder}/index`);
    return await index.tree([...description.inputs, ...own]);
  }

  async #write(mediaType: string, content: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    const temporary = `${this.blobs}/${crypto.randomUUID()}`;
    using file = await Deno.open(temporary, { write: true, createNew: true });
    const hash = new Sha256();
    let size = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      size += chunk.length;
      for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
    }
    const digest = hash.digest();
    await Deno.rename(temporary, `${this.blobs}/${hexOf(digest)}`);
    return { mediaType, digest, size };
  }

  #localImage(name: string, platform: string, source: ImageSource): LocalImage {
    const config: Descriptor = {
      mediaType: MediaType.config,
      digest: sha256(source.config),
      size: source.config.length,
    };
    const manifest = encodeManifest({ config, layers: source.layers.map((it) => it.descriptor) });
    return {
      name,
      platform,
      imageId: config.digest,
      manifest,
      manifestDigest: sha256(manifest),
      manifestMediaType: MediaType.manifest,
      configBytes: source.config,
      config: JSON.parse(new TextDecoder().decode(source.config)),
      layers: source.layers.map((layer) => ({
        ...layer,
        open: async () => {
          this.opened++;
          return (await Deno.open(`${this.blobs}/${hexOf(layer.descriptor.digest)}`)).readable;
        },
      })),
    };
  }
}

function imageOf({ options = {}, labels = {}, inputs = [], created = 0 }: BuildOptions): Image {
  return {
    name: "app",
    plugin: { name: plugin.name, version: plugin.version, load: () => Promise.resolve(plugin) },
    common: {
      needs: [],
      inputs,
      hostEnv: [],
      platforms: ["linux/amd64"],
      repository: "app",
      tags: ["latest"],
      labels,
      annotations: {},
      created,
    },
    options,
    references: [],
  };
}

function describeContext(root: string, options: BuildOptions) {
  return {
    root,
    platform: options.platform ?? "linux/amd64",
    env: options.env ?? {},
    args: options.args ?? {},
    overrides: options.engine === undefined ? {} : { engine: options.engine },
    cacheDir: `${root}/.images/cache`,
  };
}

function found(image: LocalImage | undefined, name: string): Promise<LocalImage> {
  return image === undefined
    ? Promise.reject(new Error(`The test has no image ${name}`))
    : Promise.resolve(image);
}
