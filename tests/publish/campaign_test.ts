import { assert, assertEquals } from "@std/assert";
import { TestProject } from "../support/project.ts";
import { anyInterference } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { startTokenServer } from "../support/tokens.ts";
import { full, toolTest } from "../support/tools.ts";
import { declare, outcomes } from "./rig.ts";

const [IMAGES, SEEDS] = full ? [50, [1, 2, 3]] : [8, [1]];

/** How many requests of a hundred go wrong. */
const FAILING = 20;

/** Numbers from 0 to 1 that a seed stands for. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Images of a layer that all share and one of their own. */
async function manyImages(host: string): Promise<TestProject> {
  const files: Record<string, string> = { "shared/a.txt": "a\n".repeat(10_000) };
  const images: string[] = [];
  for (let at = 0; at < IMAGES; at++) {
    files[`own/${at}/b.txt`] = `${at}\n`.repeat(20_000);
    const layers = `[{ from: "shared", to: "/shared" }, { from: "own/${at}", to: "/own" }]`;
    images.push(`"image-${at}": files({ layers: ${layers} })`);
  }
  const project = await TestProject.create(files);
  declare(project, { local: host }, `{ ${images.join(", ")} }`);
  Object.assign(project.env, { IMAGES_LOCAL_USERNAME: "ann", IMAGES_LOCAL_PASSWORD: "secret" });
  return project;
}

for (const seed of SEEDS) {
  toolTest(
    ["openssl"],
    `${IMAGES} images get through a registry that fails (seed ${seed})`,
    async () => {
      const next = numbers(seed);
      await using tokens = await startTokenServer({
        users: { ann: { password: "secret" } },
        allow: (user) => user === "ann" ? ["pull", "push"] : [],
        life: 1,
      });
      await using registry = await FaultyRegistry.start({
        tokens,
        campaign: (kind) => 100 * next() < FAILING ? anyInterference(kind, next()) : undefined,
      });
      await using project = await manyImages(registry.host);
      const document = await project.json(["push", "--all"]);

      for (const { name, tag = "", destinations = [] } of document.images) {
        const [content, latest] = destinations;
        assertEquals(outcomes(document)[name], { content: "pushed", latest: "retagged" });
        const digest = content?.digest ?? "";
        assertEquals(latest?.digest, digest);
        assertEquals(registry.store.tagsOf(name), { [tag]: digest, latest: digest });
      }
      assertEquals(document.images.length, IMAGES);
      const puts = registry.log.filter(({ kind }) => kind === "manifest-put");
      const lastContent = puts.findLastIndex(({ path }) => path.includes("/content-"));
      const firstLatest = puts.findIndex(({ path }) => path.endsWith("/latest"));
      assert(lastContent < firstLatest);
      const wrong = registry.log.filter(({ status = 500 }) => status >= 429 || status === 408);
      assert(wrong.length > registry.log.length * FAILING / 200, `${wrong.length} went wrong`);
    },
  );
}
