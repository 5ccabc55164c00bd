/** Nothing that only a private registry holds reaches a public one, whoever took it in. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Manifest } from "../../lib/model/oci.ts";
import { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { type LoopbackRegistry, startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { declare, manifestOf, type Registries, tagsIn, TOOLS } from "./rig.ts";

const PUBLIC = '{ visibility: "public" }';
const PRIVATE = '{ visibility: "private" }';
const LAYERS = 'layers: [{ from: "app", to: "/app" }]';

/** Publishes a base with a layer of its own; answers with its manifest. */
async function publishBase(address: string, env: Record<string, string> = {}): Promise<void> {
  await using project = await TestProject.resident({ "secret/key": "for us alone\n" });
  Object.assign(project.env, env);
  const images = '{ base: files({ layers: [{ from: "secret", to: "/srv" }] }) }';
  declare(project, { inside: [address, PRIVATE] }, images);
  await project.json(["push", "--all"]);
}

/** Expects that a push is refused, names these, and leaves the destination empty. */
async function refuses(
  project: TestProject,
  outside: LoopbackRegistry,
  status: number,
  ...names: string[]
): Promise<void> {
  for (const dryRun of [["--dry-run"], []]) {
    const { code, stderr } = await project.images("push", "--to", "outside", "app", ...dryRun);
    for (const name of ["app", ...names]) assertStringIncludes(stderr, name);
    assertEquals(code, status, stderr);
  }
  assertEquals(await tagsIn(outside.host, "team/app"), {});
  assertEquals(outside.requests().filter((each) => /^(PUT|POST|PATCH)/.test(each)), []);
}

toolTest(TOOLS, "a described base in a private registry", async (t) => {
  await using inside = await startLoopbackRegistry();
  await using outside = await startLoopbackRegistry();
  await publishBase(`${inside.host}/team`);
  const base = `${inside.host}/team/base:latest`;
  await using project = await TestProject.resident({ "app/a.txt": "a\n" });
  const images = `{ app: files({ base: "${base}", ${LAYERS} }) }`;
  const both = (where: string, options: string): Registries => ({
    inside: [`${inside.host}${where}`, PRIVATE],
    outside: [`${outside.host}/team`, options],
  });

  await t.step("is refused where the destination is public", async () => {
    declare(project, both("/team", PUBLIC), images);
    await refuses(project, outside, 2, base, "the public outside", "the private inside");
  });
  await t.step("or does not say whether it is", async () => {
    declare(project, both("/team", "{}"), images);
    await refuses(project, outside, 2, base, "no visibility", "the private inside");
  });
  await t.step("also where the prefix is the repository itself", async () => {
    declare(project, both("/team/base", PUBLIC), images);
    await refuses(project, outside, 2, base);
  });
  await t.step("or lies below a public one's", async () => {
    const nested: Registries = { ...both("/team", PUBLIC), all: [inside.host, PUBLIC] };
    declare(project, nested, images);
    await refuses(project, outside, 2, base, "the private inside");
  });
  await t.step("beside the prefix it may be public, as this one is", async () => {
    declare(project, both("/other", PUBLIC), images);
    assertEquals((await project.images("push", "--to", "outside", "app")).code, 0);
  });
});

toolTest(TOOLS, "a private base that a public registry holds too", async () => {
  await using inside = await startLoopbackRegistry();
  await using outside = await startLoopbackRegistry();
  await publishBase(`${inside.host}/team`);
  await runTool([
    ...["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false"],
    ...["--dest-tls-verify=false", `docker://${inside.host}/team/base:latest`],
    `docker://${outside.host}/open/base:copied`,
  ]);
  await using project = await TestProject.resident({ "app/a.txt": "a\n" });
  const { digest } = await manifestOf(inside.host, "team/base", "latest");
  const images = `{ app: files({ base: "${inside.host}/team/base@${digest}", ${LAYERS} }) }`;
  const registries = {
    inside: [`${inside.host}/team`, PRIVATE],
    outside: [`${outside.host}/open`, PUBLIC],
  } as const;
  declare(project, registries, images);
  assertEquals((await project.images("push", "--to", "outside", "app")).code, 0);
});

toolTest(
  [...TOOLS, "htpasswd"],
  "a base of an undeclared registry that wants credentials",
  async (t) => {
    const basic = { user: "robot", password: "secret" };
    await using inside = await startLoopbackRegistry({ basic });
    await using outside = await startLoopbackRegistry();
    const login = { IMAGES_INSIDE_USERNAME: "robot", IMAGES_INSIDE_PASSWORD: "secret" };
    await publishBase(`${inside.host}/team`, login);
    await using project = await TestProject.resident({
      "app/a.txt": "a\n",
      "auth.json": JSON.stringify({ auths: { [inside.host]: { auth: btoa("robot:secret") } } }),
    });
    project.env.REGISTRY_AUTH_FILE = project.path("auth.json");
    const base = `${inside.host}/team/base:latest`;
    const registries = { outside: [`${outside.host}/team`, PUBLIC] } as const;
    await t.step("is private", async () => {
      declare(project, registries, `{ app: files({ base: "${base}", ${LAYERS} }) }`);
      await refuses(project, outside, 1, `${inside.host}/team/base`, "without credentials");
    });
    await t.step("also below another image, and beside a private prefix", async () => {
      const more: Registries = { ...registries, inside: [`${inside.host}/other`, PRIVATE] };
      const images = `{ middle: files({ base: "${base}", ${LAYERS} }),
        app: files({ base: { image: "middle" }, ${LAYERS} }) }`;
      declare(project, more, images);
      await refuses(project, outside, 1, 'through "middle"');
    });
    await t.step("unless it is declared to be public", async () => {
      const more: Registries = { ...registries, inside: [`${inside.host}/team`, PUBLIC] };
      declare(project, more, `{ app: files({ base: "${base}", ${LAYERS} }) }`);
      assertEquals((await project.images("push", "--to", "outside", "app")).code, 0);
    });
    await t.step("what was published goes on being current", async () => {
      declare(project, registries, `{ app: files({ base: "${base}", ${LAYERS} }) }`);
      assertEquals((await project.images("push", "--to", "outside", "app")).code, 0);
    });
  },
);

/** A plugin that puts a layer into its images of which only its place is known. */
const LAYERED = (host: string, { layers: [layer] }: Manifest, config: string) => `
import { define, plugin, registry } from "images";
const layered = plugin({
  name: "layered", version: "1",
  describe: () => ({ options: {}, inputs: [] }),
  build: () => Promise.resolve({
    config: new TextEncoder().encode(${JSON.stringify(config)}),
    layers: [{
      descriptor: ${JSON.stringify(layer)},
      diffId: ${JSON.stringify(JSON.parse(config).rootfs.diff_ids[0])},
      places: [{ at: "registry", host: "${host}", repository: "team/base" }],
    }],
  }),
});
`;

toolTest(TOOLS, "a layer of which only the place is known is not uploaded", async () => {
  await using inside = await startLoopbackRegistry();
  await using outside = await startLoopbackRegistry();
  await publishBase(`${inside.host}/team`);
  const { json } = await manifestOf(inside.host, "team/base", "latest");
  const blob = `http://${inside.host}/v2/team/base/blobs/${json.config.digest}`;
  const config = await (await fetch(blob)).text();
  await using project = await TestProject.resident();
  project.write({
    "images.ts": `${LAYERED(inside.host, json, config)}
      export default define({
        registries: {
          inside: registry("${inside.host}/team", ${PRIVATE}),
          outside: registry("${outside.host}/team", ${PUBLIC}),
        },
        images: { app: layered({}) },
      });`,
  });
  assertEquals((await project.images("build", "app")).code, 0);
  const layer: string = json.layers[0].digest;
  await refuses(project, outside, 1, `the layer ${layer}`, "the private inside");
});
