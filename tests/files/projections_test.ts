/** Parts of files that stand for the whole: what they hold, and that they leave out nothing that counts. */

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { FileIndex } from "../../lib/files/index.ts";
import { selectionOf } from "../../lib/files/selection.ts";
import type { Projection } from "../../lib/model/projection.ts";
import { changedParts } from "../../lib/plan/part_changes.ts";
import { randomFrom } from "../support/random.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { full } from "../support/tools.ts";
import {
  installedFor,
  keyOf,
  type LockedPackage,
  type Workspace,
  WRITERS,
} from "../support/workspaces.ts";

/** A folder with one file, and what projections of it come to. */
class Rig implements AsyncDisposable {
  readonly #temp: Awaited<ReturnType<typeof tempFolder>>;
  readonly #file: string;
  #index: FileIndex | undefined;

  private constructor(temp: Awaited<ReturnType<typeof tempFolder>>, file: string) {
    this.#temp = temp;
    this.#file = file;
  }

  static async create(file: string): Promise<Rig> {
    const temp = await tempFolder("images-projections-");
    Deno.mkdirSync(`${temp.path}/project`);
    return new Rig(temp, file);
  }

  /** The file's digest where only this part of it counts, and why if all of it does. */
  async of(text: string, part: Part): Promise<{ digest: string; whole: string | undefined }> {
    const { path } = this.#temp;
    Deno.writeTextFileSync(`${path}/project/${this.#file}`, text);
    const open = () =>
      FileIndex.open(`${path}/project`, `${path}/index`, () => "", `${path}/parts`);
    const index = this.#index ??= open();
    index.fresh();
    index.wholeFiles.clear();
    const projections = [{ ...part, path: this.#file } as Projection];
    const { entries } = await index.tree([selectionOf([this.#file])], { projections });
    return { digest: entries[0]!.digest!, whole: index.wholeFiles.get(this.#file) };
  }

  /** The same where it must be understood. */
  async digest(text: string, part: Part): Promise<string> {
    const { digest, whole } = await this.of(text, part);
    assertEquals(whole, undefined);
    return digest;
  }

  /** What changed between two digests. */
  changes(before: string, now: string): string {
    const { projections } = this.#index!;
    return changedParts(projections.parts(before)!, projections.parts(now)!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#temp[Symbol.asyncDispose]();
  }
}

type Part =
  | { readonly projection: "json"; readonly fields: readonly string[] }
  | { readonly projection: "lockfile"; readonly workspace: string };

function locked(name: string, version: string, dependencies: readonly string[] = []) {
  return { name, version, integrity: `sha512-${name}${version}`, dependencies };
}

const WORKSPACE: Workspace = {
  members: [
    { name: "web", dependencies: ["left@1.0.0", "shared@1.0.0"], members: [] },
    { name: "api", dependencies: ["right@1.0.0", "shared@1.0.0"], members: [] },
    { name: "docs", dependencies: ["deep@1.0.0"], members: ["web"] },
  ],
  packages: [
    locked("left", "1.0.0", ["below@1.0.0"]),
    locked("below", "1.0.0"),
    locked("right", "1.0.0"),
    locked("shared", "1.0.0"),
    locked("deep", "1.0.0"),
  ],
  settings: {},
};

/** A workspace in which a package has another version, wherever it is used. */
function bumped(workspace: Workspace, key: string, version: string): Workspace {
  const name = key.slice(0, key.lastIndexOf("@"));
  const change = (keys: readonly string[]) =>
    keys.map((each) => (each === key ? `${name}@${version}` : each));
  return {
    ...workspace,
    members: workspace.members.map((each) => ({
      ...each,
      dependencies: change(each.dependencies),
    })),
    packages: workspace.packages.map((each) =>
      keyOf(each) === key
        ? locked(name, version, each.dependencies)
        : { ...each, dependencies: change(each.dependencies) }
    ),
  };
}

for (const [name, writer] of Object.entries(WRITERS)) {
  const digests = async (rig: Rig, text: string) => {
    const found: Record<string, string> = {};
    for (const { name } of WORKSPACE.members) {
      const part = { projection: "lockfile", workspace: writer.workspace(name) } as const;
      found[name] = await rig.digest(text, part);
    }
    return found;
  };
  const differing = (a: Record<string, string>, b: Record<string, string>) =>
    Object.keys(a).filter((each) => a[each] !== b[each]);

  Deno.test(`a lock file of ${name} counts by what a member can see`, async (t) => {
    await using rig = await Rig.create(writer.file);
    const before = await digests(rig, writer.write(WORKSPACE));
    const after = async (workspace: Workspace) => await digests(rig, writer.write(workspace));

    const cases: [string, Workspace, string[]][] = [
      ["nothing", WORKSPACE, []],
      ["a package of one", bumped(WORKSPACE, "right@1.0.0", "1.1.0"), ["api"]],
      [
        "a package of a member and of one that needs it",
        bumped(WORKSPACE, "below@1.0.0", "2.0.0"),
        [
          "web",
          "docs",
        ],
      ],
      ["a package of all", bumped(WORKSPACE, "shared@1.0.0", "1.1.0"), ["web", "api", "docs"]],
      ["a setting", { ...WORKSPACE, settings: { left: "9.9.9" } }, ["web", "api", "docs"]],
    ];
    for (const [what, workspace, wanted] of cases) {
      await t.step(`${what} changes`, async () => {
        assertEquals(differing(before, await after(workspace)), wanted);
      });
    }
    await t.step("a comment or white space changes", async () => {
      const text = writer.comment(writer.write(WORKSPACE));
      assertEquals(differing(before, await digests(rig, text)), []);
    });
    await t.step("the packages that changed are named", async () => {
      const now = await after(bumped(WORKSPACE, "right@1.0.0", "1.1.0"));
      assertEquals(rig.changes(before.api!, now.api!), "right 1.0.0 → 1.1.0");
    });
    await t.step("a file that is not understood counts as a whole", async () => {
      const part = { projection: "lockfile", workspace: writer.workspace("web") } as const;
      const one = await rig.of(`${writer.write(WORKSPACE)}}{`, part);
      const two = await rig.of(`${writer.write(WORKSPACE)}}{ `, part);
      assert(one.whole !== undefined && two.whole !== undefined);
      assertNotEquals(one.digest, two.digest);
    });
    await t.step("a member that is not in it makes the whole file count", async () => {
      const part = { projection: "lockfile", workspace: writer.workspace("nope") } as const;
      const { whole } = await rig.of(writer.write(WORKSPACE), part);
      assert(whole?.includes("nope"), whole);
    });
  });

  Deno.test(`a lock file of ${name} never hides what a member gets, whatever changes`, async () => {
    const seed = 16;
    await using rig = await Rig.create(writer.file);
    const random = randomFrom(seed);
    let workspace = WORKSPACE;
    let before = await digests(rig, writer.write(workspace));
    let [same, other] = [0, 0];
    for (let round = 0; round < (full ? 1000 : 50); round++) {
      const next = changedAtRandom(workspace, random);
      const now = await digests(rig, writer.write(next));
      for (const { name } of workspace.members) {
        const isOther = installedFor(workspace, name) !== installedFor(next, name);
        if (isOther) assertNotEquals(now[name], before[name], `seed ${seed}, ${round}, ${name}`);
        else if (now[name] === before[name]) same += 1;
        else other += 1;
      }
      [workspace, before] = [next, now];
    }
    // npm's hoisting moves packages of others now and then.
    assert(same > 5 * other, `${same} kept, ${other} not`);
  });
}

/** One change, as an update or an edit of a manifest makes it. */
function changedAtRandom(workspace: Workspace, random: () => number): Workspace {
  const below = (limit: number) => Math.floor(random() * limit);
  const { packages, members } = workspace;
  const one = packages[below(packages.length)]!;
  const kind = below(6);
  if (kind < 3) {
    const version = `${below(3) + 1}.${below(20)}.${below(9)}`;
    const isTaken = packages.some((each) => keyOf(each) === `${one.name}@${version}`);
    return isTaken ? workspace : bumped(workspace, keyOf(one), version);
  }
  if (kind === 3) {
    const packagesNow = packages.map((each) =>
      each === one ? { ...each, integrity: `sha512-${below(1e6)}` } : each
    );
    return { ...workspace, packages: packagesNow };
  }
  if (kind === 4) {
    const added: LockedPackage = locked(`p${below(8)}`, `1.${below(50)}.0`);
    const isThere = packages.some((each) => keyOf(each) === keyOf(added));
    if (isThere || packages.length > 14) return workspace;
    const user = below(members.length);
    const hasName = members[user]!.dependencies.some((each) => each.startsWith(`${added.name}@`));
    if (hasName) return workspace;
    return {
      ...workspace,
      packages: [...packages, added],
      members: members.map((each, at) =>
        at === user ? { ...each, dependencies: [...each.dependencies, keyOf(added)] } : each
      ),
    };
  }
  // Only later packages are depended on: there are no circles.
  const at = packages.indexOf(one);
  const target = packages[at + 1 + below(packages.length - at)];
  if (target === undefined || one.dependencies.some((each) => each.startsWith(`${target.name}@`))) {
    return workspace;
  }
  return {
    ...workspace,
    packages: packages.map((each) =>
      each === one ? { ...each, dependencies: [...each.dependencies, keyOf(target)] } : each
    ),
  };
}

Deno.test("a JSON file counts by the fields that are named", async (t) => {
  await using rig = await Rig.create("package.json");
  const part: Part = { projection: "json", fields: ["dependencies", "exports"] };
  const text = '{ "name": "a", "dependencies": { "x": "1" } }';
  const before = await rig.digest(text, part);
  const cases: [string, string, boolean][] = [
    ["another field", '{ "name": "b", "dependencies": { "x": "1" } }', true],
    ["white space", '{"dependencies":{"x":"1"}}', true],
    ["null for what is missing", '{ "dependencies": { "x": "1" }, "exports": null }', true],
    ["a value", '{ "dependencies": { "x": "2" } }', false],
    ["a field that comes", '{ "dependencies": { "x": "1" }, "exports": {} }', false],
    ["a field that goes", '{ "name": "a" }', false],
  ];
  for (const [what, other, isSame] of cases) {
    await t.step(what, async () => {
      const now = await rig.digest(other, part);
      assertEquals(now === before, isSame);
      if (what === "a value") assertEquals(rig.changes(before, now), "field dependencies");
    });
  }
  await t.step("the order of conditions", async () => {
    const [a, b] = ['{ "exports": { "a": 1, "b": 2 } }', '{ "exports": { "b": 2, "a": 1 } }'];
    assertNotEquals(await rig.digest(a, part), await rig.digest(b, part));
  });
  for (const odd of ["[1]", "no JSON", '{ "dependencies": 12345678901234567890 }', "{ } { }"]) {
    await t.step(`${odd} counts as a whole`, async () => {
      const { whole, digest } = await rig.of(odd, part);
      assert(whole !== undefined);
      assertNotEquals((await rig.of(`${odd} `, part)).digest, digest);
    });
  }
});
