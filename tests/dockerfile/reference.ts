/** What a case of tests/fixtures/dockerfiles becomes: here, with buildah, with Docker. */

import { hexOf } from "../../lib/model/digest.ts";
import type { LocalImage, OpenableLayer } from "../../lib/model/image.ts";
import { type ImageConfig, type Manifest, MediaType } from "../../lib/model/oci.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import { runTool } from "../support/real/program.ts";
import { addCase, CASES, makeContext } from "./context.ts";
import { filesOf, type FileTable } from "./files_of.ts";
import { Rig } from "./rig.ts";

/** Files and config of a result, as far as they are compared. */
export interface Outcome {
  readonly files: FileTable;
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a case's options.json can say. */
interface CaseOptions {
  readonly args?: Readonly<Record<string, string>>;
  readonly target?: string;
  readonly inputs?: readonly string[];
}

/** Names of all cases. */
export const NAMES: readonly string[] = [...Deno.readDirSync(CASES)].map(({ name }) => name).sort();

const outcomes = new Map<string, Promise<Outcome>>();

/** What a case becomes here; built once, whoever compares with it. */
export function buildHere(name: string): Promise<Outcome> {
  const known = outcomes.get(name) ?? build(name);
  outcomes.set(name, known);
  return known;
}

async function build(name: string): Promise<Outcome> {
  await using rig = await Rig.create();
  await makeContext(rig.root);
  addCase(name, rig.root);
  const { inputs = [], ...options } = optionsOf(name);
  const base = hasBase(name)
    ? (await rig.build({ options: { file: "base.Dockerfile" } })).image
    : undefined;
  const built = await rig.build({
    inputs,
    options: base === undefined ? options : { ...options, contexts: { base: { image: "base" } } },
    needs: base === undefined ? {} : { base },
  });
  return await outcome(built.image.layers, built.config);
}

/** What a tool makes of a case. */
export type Tool = (name: string) => Promise<Outcome>;

/** buildah with a store of its own; `folder` takes its contexts and results. */
export function buildah(env: Readonly<Record<string, string>>, folder: string): Tool {
  const bud = async (context: string, file: string, to: string, options: readonly string[] = []) =>
    await runTool([
      ...["buildah", "bud", "--quiet", "--layers=false", "--pull-never"],
      "--format=docker", // OCI's config has no place for SHELL, HEALTHCHECK and ONBUILD
      ...options,
      ...await ignoreFlag(context, file),
      ...["-f", `${context}/${file}`, "-t", to, context],
    ], { env });
  return async (name) => {
    const context = await caseFolder(folder, name);
    const result = `${folder}/result-of-${name}`;
    const { args = {}, target } = optionsOf(name);
    if (hasBase(name)) await bud(context, "base.Dockerfile", "base");
    await bud(context, "Dockerfile", `dir:${result}`, [
      ...Object.entries(args).flatMap(([key, value]) => ["--build-arg", `${key}=${value}`]),
      ...(target === undefined ? [] : ["--target", target]),
    ]);
    return await readFolder(`${result}/manifest.json`, (hex) => `${result}/${hex}`);
  };
}

/** buildah 1.28 looks only at .dockerignore by itself. */
async function ignoreFlag(context: string, file: string): Promise<string[]> {
  const own = `${context}/${file}.dockerignore`;
  const isThere = await Deno.stat(own).then(() => true, () => false);
  return isThere ? ["--ignorefile", own] : [];
}

/**
 * Docker's buildx. Many cases are built by one process, the images they are based on first: starting
 * one takes longer than building a case.
 */
export async function docker(
  env: Readonly<Record<string, string>>,
  folder: string,
  names: readonly string[],
): Promise<Tool> {
  const bases: Record<string, unknown> = {};
  const cases: Record<string, unknown> = {};
  for (const name of names) {
    const context = await caseFolder(folder, name);
    const { args = {}, target } = optionsOf(name);
    const base = `base-of-${name}`;
    if (hasBase(name)) {
      bases[name] = { context, dockerfile: "base.Dockerfile", tags: [base], output: [LOAD] };
    }
    cases[name] = {
      context,
      args,
      ...(target === undefined ? {} : { target }),
      ...(hasBase(name) ? { contexts: { base: `docker-image://${base}` } } : {}),
      output: [`type=oci,tar=false,dest=${folder}/result/${name}`],
    };
  }
  await bake(env, `${folder}/bases.json`, bases);
  await bake(env, `${folder}/cases.json`, cases);
  return async (name) => {
    const layout = `${folder}/result/${name}`;
    const { manifests } = JSON.parse(await Deno.readTextFile(`${layout}/index.json`));
    const blob = (hex: string) => `${layout}/blobs/sha256/${hex}`;
    return await readFolder(blob(hexOf(manifests[0].digest)), blob);
  };
}

/** Puts an image into the engine's own store. */
const LOAD = "type=docker";

/** How many targets are built at once: with a hundred, contexts wait until Docker gives them up. */
const AT_ONCE = 8;

/** Builds targets by name, as a file of `docker buildx bake` declares them. */
async function bake(
  env: Readonly<Record<string, string>>,
  file: string,
  target: Readonly<Record<string, unknown>>,
): Promise<void> {
  await Deno.writeTextFile(file, JSON.stringify({ target }));
  const command = ["docker", "buildx", "bake", "--provenance=false", "-f", file];
  const names = Object.keys(target);
  while (names.length > 0) await runTool([...command, ...names.splice(0, AT_ONCE)], { env });
}

/** Makes a case's context. A `# syntax=` directive would be fetched, so it is taken out. */
async function caseFolder(folder: string, name: string): Promise<string> {
  const context = `${folder}/context/${name}`;
  await Deno.mkdir(context, { recursive: true });
  await makeContext(context);
  addCase(name, context);
  const dockerfile = `${context}/Dockerfile`;
  const text = await Deno.readTextFile(dockerfile);
  await Deno.writeTextFile(dockerfile, text.replace(/^# syntax=.*\n/, ""));
  return context;
}

/** Reads an image whose blobs are files of a folder. */
async function readFolder(path: string, blob: (hex: string) => string): Promise<Outcome> {
  const { layers, config } = openFolder(path, blob);
  return await outcome(layers, config);
}

/** Opens an image whose blobs are files of a folder. */
export function openFolder(path: string, blob: (hex: string) => string): LocalImage {
  const manifest = Deno.readFileSync(path);
  const { config, layers }: Manifest = JSON.parse(new TextDecoder().decode(manifest));
  const configBytes = Deno.readFileSync(blob(hexOf(config.digest)));
  const parsed: ImageConfig = JSON.parse(new TextDecoder().decode(configBytes));
  return {
    name: "opened",
    platform: `${parsed.os}/${parsed.architecture}`,
    imageId: config.digest,
    manifest,
    manifestDigest: sha256(manifest),
    manifestMediaType: MediaType.manifest,
    configBytes,
    config: parsed,
    // Docker writes null where there are none.
    layers: (layers ?? []).map((descriptor, at) => ({
      descriptor,
      diffId: parsed.rootfs.diff_ids[at]!,
      places: [],
      open: async () => (await Deno.open(blob(hexOf(descriptor.digest)))).readable,
    })),
  };
}

async function outcome(
  layers: readonly OpenableLayer[],
  config: ImageConfig,
): Promise<Outcome> {
  return { files: await filesOf(layers), config: comparable(config) };
}

const FIELDS = [
  ...["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels"],
  ...["StopSignal", "Healthcheck", "OnBuild", "Shell"],
] as const;

/** What of a config an image's user sees; what is empty counts as not there. */
function comparable({ config = {}, author, architecture, os }: ImageConfig) {
  const labels = { ...config.Labels };
  delete labels["io.buildah.version"];
  const all: Record<string, unknown> = { author, architecture, os };
  for (const field of FIELDS) all[field] = config[field];
  all["Labels"] = labels;
  all["WorkingDir"] ||= "/";
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || value === "" ||
    (typeof value === "object" && Object.keys(value).length === 0);
}

/** How many COPY and ADD a case's Dockerfiles have. */
export function copiesIn(name: string): number {
  const texts = ["Dockerfile", ...(hasBase(name) ? ["base.Dockerfile"] : [])]
    .map((file) => Deno.readTextFileSync(`${CASES}/${name}/${file}`));
  return texts.join("\n").match(/^\s*(ONBUILD\s+)?(COPY|ADD)\s/gim)?.length ?? 0;
}

function optionsOf(name: string): CaseOptions {
  try {
    return JSON.parse(Deno.readTextFileSync(`${CASES}/${name}/options.json`));
  } catch {
    return {};
  }
}

function hasBase(name: string): boolean {
  try {
    return Deno.statSync(`${CASES}/${name}/base.Dockerfile`).isFile;
  } catch {
    return false;
  }
}
