import { assert, assertEquals } from "@std/assert";
import { exists } from "../../lib/store/state.ts";
import { TestProject } from "../support/project.ts";
import { type LoopbackRegistry, startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { declare, inspect, outcomes, tagsIn, TOOLS } from "./rig.ts";

const LAYERS = 16;

/** An image of many layers that compression makes no smaller. */
async function manyLayers(host: string): Promise<TestProject> {
  const project = await TestProject.resident();
  const layers: string[] = [];
  for (let at = 0; at < LAYERS; at++) {
    Deno.mkdirSync(project.path(`data/${at}`), { recursive: true });
    for (let part = 0; part < 32; part++) {
      const noise = crypto.getRandomValues(new Uint8Array(65_536));
      Deno.writeFileSync(project.path(`data/${at}/${part}`), noise);
    }
    layers.push(`{ from: "data/${at}", to: "/${at}" }`);
  }
  declare(project, { local: host }, `{ app: files({ layers: [${layers.join(", ")}] }) }`);
  return project;
}

/** Digests of the blobs that a repository holds. */
function blobsIn(data: string): Set<string> {
  const folder = `${data}/docker/registry/v2/repositories/app/_layers/sha256`;
  try {
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
    return new Set(
      names.filter((hex) => exists(`${folder}/${hex}/link`)).map((hex) => `sha256:${hex}`),
    );
  } catch {
    return new Set();
  }
}

/** Those of them that the registry answers for. */
async function heldBlobs({ host, data }: LoopbackRegistry): Promise<Set<string>> {
  const held = new Set<string>();
  for (const digest of blobsIn(data)) {
    const { ok } = await fetch(`http://${host}/v2/app/blobs/${digest}`, { method: "HEAD" });
    if (ok) held.add(digest);
  }
  return held;
}

/** Waits until so many blobs are there, told by the file system. */
async function committed(data: string, count: number): Promise<void> {
  using watcher = Deno.watchFs(data);
  if (blobsIn(data).size >= count) return;
  for await (const _ of watcher) if (blobsIn(data).size >= count) return;
}

toolTest(
  TOOLS,
  "a push that was killed is completed by the next, which sends nothing twice",
  async () => {
    await using registry = await startLoopbackRegistry();
    await using project = await manyLayers(registry.host);
    await project.statuses("--no-remote");
    Deno.mkdirSync(registry.data, { recursive: true });

    const push = project.spawn("push", "--all");
    await committed(registry.data, 3);
    push.kill("SIGKILL");
    await Promise.all([push.status, push.stdout.cancel(), push.stderr.cancel()]);
    assertEquals(await tagsIn(registry.host, "app"), {});
    const before = await heldBlobs(registry);
    const requests = registry.requests().length;
    assert(before.size >= 3 && before.size < LAYERS, `${before.size} blobs were there`);

    const document = await project.json(["push", "--all"]);
    assertEquals(outcomes(document), { app: { content: "pushed", latest: "retagged" } });
    const sent = registry.requests().slice(requests).filter((each) =>
      /^PUT .*\/uploads\//.test(each)
    )
      .map((each) => decodeURIComponent(/digest=([^&]*)/.exec(each)?.[1] ?? ""));
    assertEquals(sent.filter((digest) => before.has(digest)), []);
    assert(sent.length <= LAYERS + 1 - before.size);
    assertEquals((await inspect(`${registry.host}/app`)).Layers.length, LAYERS);
  },
);

toolTest(TOOLS, "an interrupt ends a push in order", async () => {
  await using registry = await startLoopbackRegistry();
  await using project = await manyLayers(registry.host);
  await project.statuses("--no-remote");
  Deno.mkdirSync(registry.data, { recursive: true });
  const push = project.spawn("push", "--all", "--json");
  await committed(registry.data, 1);
  push.kill("SIGINT");
  const [{ code }, stdout] = await Promise.all([
    push.status,
    new Response(push.stdout).json(),
    push.stderr.cancel(),
  ]);
  assertEquals([code, stdout.ok], [130, false]);
  assertEquals(await tagsIn(registry.host, "app"), {});
  // Uploads that were under way are given up at the registry too.
  assert(registry.requests().some((each) => each.startsWith("DELETE ")));
});
