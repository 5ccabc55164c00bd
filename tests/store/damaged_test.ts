/** What becomes of state that is JSON still, but not what was written. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { sealed, unsealed } from "../../lib/model/sealed.ts";
import { imageOf, TestProject } from "../support/project.ts";

const DAMAGED = ["null", "{}", "[]", "[null]", "0", '""', '{"schema":1}'];

async function site(): Promise<TestProject> {
  return await TestProject.resident(
    { "site/a": "a" },
    `{ images: {
      site: files({ layers: [{ from: "site", to: "/" }], expect: { files: ["/a"] } }),
      above: files({ base: { image: "site" }, layers: [] }),
    } }`,
  );
}

function damage(project: TestProject, folder: string, text: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(project.path(folder))) {
    if (isDirectory) damage(project, `${folder}/${name}`, text);
    else project.write({ [`${folder}/${name}`]: text });
  }
}

Deno.test("a sealed object is what was written, or nothing", () => {
  const value = fc.record({ a: fc.jsonValue(), b: fc.string({ unit: "grapheme" }) });
  fc.assert(
    fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flipped) => {
      const bytes = sealed(value);
      assertEquals(unsealed(bytes), JSON.parse(JSON.stringify(value)));
      bytes[at % bytes.length]! ^= flipped;
      assertEquals(unsealed(bytes), undefined);
    }),
  );
  for (const text of DAMAGED) assertEquals(unsealed(new TextEncoder().encode(text)), undefined);
});

Deno.test("trees, listings and records of another shape are as good as none", async () => {
  await using project = await site();
  const before = await project.json(["build"]);
  for (const text of DAMAGED) {
    project.write({ "site/a": text });
    damage(project, ".images/trees", text);
    damage(project, ".images/cache/listings", text);
    assertEquals((await project.statuses("site")).site, "built", text);
    damage(project, ".images/records/images", text);
    damage(project, ".images/records/by-key/images", text);
    project.write({ ".images/last-run.json": text });
    assertEquals((await project.statuses("site")).site, "built", text);
    assertEquals((await project.images("prune", "--dry-run")).code, 0, text);
  }
  project.write({ "site/a": "a", ".images/last-run.json": "null" });
  assertEquals((await project.images("report")).code, 2);
  const after = await project.json(["build"]);
  assertEquals(imageOf(after, "above").key, imageOf(before, "above").key);
});

Deno.test("a record of which a byte was changed is not believed", async () => {
  await using project = await site();
  const before = await project.json(["build"]);
  const [name] = [...Deno.readDirSync(project.path(".images/records/images"))]
    .map(({ name }) => name).filter((name) => name.startsWith("site"));
  const path = `.images/records/images/${name}`;
  const subject = name!.replace(/\.json$/, "");
  const { key } = imageOf(before, "site");
  const text = Deno.readTextFileSync(project.path(path));
  const changed = text.replace(key!, `${key![0] === "0" ? "1" : "0"}${key!.slice(1)}`);
  project.write({
    [path]: changed,
    [`.images/records/by-key/images/${subject}/${key}.json`]: changed,
  });
  const after = await project.json(["build"]);
  assertEquals(imageOf(after, "site").status, "built");
  assertEquals(imageOf(after, "site").key, key);
  assertEquals(imageOf(after, "above").status, "cached");
});

Deno.test("an images.lock of another shape is a fault that says where and what to do", async () => {
  await using project = await site();
  for (const text of [...DAMAGED, '{"schema":1,"bases":null}', '{"schema":1,"bases":[]}']) {
    project.write({ "images.lock": text });
    const { code, stderr } = await project.images("build");
    assertEquals(code, 2, text);
    assertMatch(stderr, /images\.lock: Cannot read images\.lock: it has another shape\n/);
    assertStringIncludes(stderr, "next: remove the file and run `images pin`");
  }
});

/** Ways in which a file of the layout may be lost although there is something at its path. */
const DAMAGES: Readonly<Record<string, (path: string) => void>> = {
  "a changed byte": (path) => {
    const bytes = Deno.readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    Deno.writeFileSync(path, bytes);
  },
  zeros: (path) => Deno.writeFileSync(path, new Uint8Array(Deno.statSync(path).size)),
  "nothing in it": (path) => Deno.truncateSync(path, 0),
  "a missing end": (path) => Deno.truncateSync(path, Deno.statSync(path).size - 1),
  "a folder": (path) => {
    Deno.removeSync(path);
    Deno.mkdirSync(`${path}/inside`, { recursive: true });
  },
  "a link to a device": (path) => {
    Deno.removeSync(path);
    Deno.symlinkSync("/dev/zero", path);
  },
  "a named pipe": (path) => {
    Deno.removeSync(path);
    new Deno.Command("mkfifo", { args: [path] }).outputSync();
  },
};

interface Document {
  readonly manifests: readonly { readonly digest: string }[];
  readonly config: { readonly digest: string };
  readonly layers: readonly { readonly digest: string }[];
}

/** The files of a layout by what they are; of an image of two platforms, those of the first. */
function layoutFiles(project: TestProject): Record<string, string> {
  const folder = project.path(".images/oci");
  const blob = ({ digest }: { readonly digest: string }) =>
    `${folder}/blobs/${digest.replace(":", "/")}`;
  const read = (path: string): Document => JSON.parse(Deno.readTextFileSync(path));
  const index = blob(read(`${folder}/index.json`).manifests[0]!);
  const manifest = blob(read(index).manifests[0]!);
  const { config, layers } = read(manifest);
  const layout = { "index.json": `${folder}/index.json`, "oci-layout": `${folder}/oci-layout` };
  return { ...layout, index, manifest, config: blob(config), layer: blob(layers[0]!) };
}

function contents(folder: string): Record<string, string> {
  const blobs = `${folder}/blobs/sha256`;
  const paths = [...Deno.readDirSync(blobs)].map(({ name }) => `${blobs}/${name}`);
  return Object.fromEntries(
    [`${folder}/index.json`, `${folder}/oci-layout`, ...paths].sort()
      .map((path) => [path, Deno.readTextFileSync(path)]),
  );
}

Deno.test("build --force makes every damaged file of the layout again", async (t) => {
  await using project = await TestProject.resident(
    { "site/a": "a".repeat(100) },
    `{ images: { site: files({
      layers: [{ from: "site", to: "/" }],
      platforms: ["linux/amd64", "linux/arm64"],
    }) } }`,
  );
  await project.json(["build"]);
  const folder = project.path(".images/oci");
  const whole = contents(folder);
  for (const [kind, path] of Object.entries(layoutFiles(project))) {
    for (const [how, damage] of Object.entries(DAMAGES)) {
      await t.step(`${kind}: ${how}`, async () => {
        damage(path);
        await project.json(["build", "--force"]);
        assertEquals(contents(folder), whole);
      });
    }
  }
});

Deno.test("a damaged blob is never handed on, and the remedy that is named works", async (t) => {
  await using project = await TestProject.resident(
    { "site/a": "a".repeat(100) },
    `{ images: { site: files({
      layers: [{ from: "site", to: "/" }],
      platforms: ["linux/amd64", "linux/arm64"],
    }) } }`,
  );
  await project.json(["build"]);
  for (const kind of ["manifest", "config", "layer"]) {
    for (const how of ["a changed byte", "zeros"]) {
      await t.step(`${kind}: ${how}`, async () => {
        const path = layoutFiles(project)[kind]!;
        DAMAGES[how]!(path);
        const archive = project.beside("archive");
        const to = `oci-archive:${archive}`;
        const { code, stderr } = await project.images("export", "site", "--to", to);
        assertEquals(code, 1, stderr);
        assertStringIncludes(stderr, "does not hold what its name says");
        assertStringIncludes(stderr, "next: remove the file and build again");
        assertEquals([...Deno.readDirSync(project.beside(""))].map(({ name }) => name), [
          "project",
        ]);
        Deno.removeSync(path);
        assertEquals((await project.images("export", "site", "--to", to)).code, 0);
        Deno.removeSync(archive);
      });
    }
  }
});
