import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { planPrune, type PruneRules } from "../../lib/store/prune.ts";
import type { Owner, Stored, Survey } from "../../lib/store/survey.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { eachLine } from "../support/real/program.ts";
import { full, toolTest } from "../support/tools.ts";

const NOW = 1_000_000;

function blob(name: string, bytes: number, at: number): Stored {
  return { kind: "blob", name, path: `/oci/${name}`, bytes, at };
}

const surveys: fc.Arbitrary<Survey> = fc.record({
  files: fc.uniqueArray(
    fc.tuple(fc.constantFrom(..."abcdefgh"), fc.nat(100), fc.nat(NOW)),
    { selector: ([name]) => name },
  ).map((all) => all.map(([name, bytes, at]) => blob(name, bytes, at))),
  owners: fc.uniqueArray(
    fc.tuple(
      fc.constantFrom("one", "two", "three", "gone"),
      fc.constantFrom("latest", "earlier", "elsewhere"),
      fc.subarray([..."abcdefgh"]),
      fc.nat(NOW),
    ),
    { selector: ([name, role, , at]) => role === "earlier" ? `${name} ${at}` : `${name} ${role}` },
  ).map((all) =>
    all.map(([name, role, needs, at]): Owner => ({
      type: "image",
      name,
      role,
      at,
      needs: new Set(needs.map((each) => `/oci/${each}`)),
      records: [{ kind: "record", name, path: `/${role}/${name}/${at}`, bytes: 1, at }],
    }))
  ),
}).map(({ files, owners }) => ({
  files,
  owners,
  bytes: files.reduce((sum, file) => sum + file.bytes, 10 + owners.length),
}));

const rules: fc.Arbitrary<PruneRules> = fc.record({
  current: fc.boolean(),
  olderThan: fc.nat(NOW),
  maxSize: fc.nat(400),
  keep: fc.nat(2),
}, { requiredKeys: ["current"] });

const DECLARED = { images: new Set(["one", "two", "three"]), tasks: new Set<string>() };

Deno.test("planPrune() keeps what current records need, and goes oldest first", () => {
  fc.assert(
    fc.property(surveys, rules, (survey, rules) => {
      const { removals, left } = planPrune(survey, DECLARED, rules, NOW);
      const gone = new Set(removals.flatMap(({ files }) => files.map(({ path }) => path)));
      const kept = survey.owners.filter(({ records }) => !gone.has(records[0]!.path));
      for (const { needs } of kept) for (const path of needs) assert(!gone.has(path), path);
      for (const { owner, why } of removals) {
        if (owner === undefined) assertEquals(why, "unneeded");
        else if (owner.role === "earlier") assertEquals(why, "earlier");
        else {
          const isUndeclared = owner.role === "latest" && !DECLARED.images.has(owner.name);
          assertEquals(why, isUndeclared ? "undeclared" : "current");
          assert(rules.current || isUndeclared);
        }
      }
      for (const name of ["one", "two", "three", "gone"]) {
        const earlier = (owners: readonly Owner[]) =>
          owners.filter((each) => each.role === "earlier" && each.name === name);
        const least = Math.min(earlier(survey.owners).length, rules.keep ?? 0);
        assert(earlier(kept).length >= least, `${name} keeps ${least}`);
      }
      assertEquals(left, survey.bytes - removals.reduce((sum, each) => sum + each.bytes, 0));
      const phases = ["unneeded", "earlier", "undeclared", "current"] as const;
      for (const phase of phases) {
        const times = removals.filter(({ why }) => why === phase).map(({ at }) => at);
        assertEquals(times, times.toSorted((a, b) => a - b));
      }
      const order = removals.map(({ why }) => phases.indexOf(why));
      assertEquals(order, order.toSorted((a, b) => a - b));
      if (rules.maxSize !== undefined && rules.current && rules.keep === undefined) {
        const all = survey.files.every(({ path }) => gone.has(path)) && kept.length === 0;
        assert(left <= rules.maxSize || all);
      }
      if (rules.maxSize !== undefined && rules.olderThan === undefined && removals.length > 0) {
        assert(left + removals.at(-1)!.bytes > rules.maxSize, "one fewer would have done");
      }
    }),
    { numRuns: full ? 5000 : 300, seed: 11 },
  );
});

const SITE = `{
  tasks: { bundle: task({ inputs: ["src/**"], outputs: ["dist/**"],
    run: ["sh", "-c", "mkdir -p dist && cp -v src/a dist/a"] }) },
  images: {
    site: files({ layers: [{ from: "site", to: "/srv" }] }),
    app: files({ layers: [{ from: "dist", to: "/app" }], needs: ["bundle"] }),
    old: files({ layers: [{ from: "old", to: "/srv" }] }),
  },
}`;

async function builtProject(): Promise<TestProject> {
  const project = await TestProject.resident({ "site/a": "1", "src/a": "1", "old/a": "old" });
  project.define(SITE);
  await project.statuses();
  return project;
}

/** Every file below a folder, relative to it. */
function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((entry) =>
    entry.isDirectory
      ? filesBelow(`${folder}/${entry.name}`).map((path) => `${entry.name}/${path}`)
      : [entry.name]
  ).sort();
}

Deno.test("prune removes what no name in images.ts leads to, and nothing that is current", async () => {
  await using project = await builtProject();
  const before = imageOf(await project.json(["build", "site"]), "site");
  project.write({ "site/a": "2", "src/a": "2" });
  project.define(SITE.replace(/ {4}old: .*\n/, ""));
  await project.statuses();
  project.write({ ".images/tmp/build-killed/rootfs/file": "left" });
  for (const path of ["rootfs/file", "rootfs", ""]) {
    Deno.utimeSync(project.path(`.images/tmp/build-killed/${path}`), 1e9, 1e9);
  }

  const state = project.path(".images");
  const all = filesBelow(state);
  const dry = await project.images("prune", "--dry-run");
  assertEquals(dry.code, 0, dry.stderr);
  assertStringIncludes(dry.stdout, "image old");
  assertStringIncludes(dry.stdout, "not in images.ts");
  assertEquals(filesBelow(state), all);

  const planned = JSON.parse((await project.images("prune", "--dry-run", "--json")).stdout);
  const done = JSON.parse((await project.images("prune", "--json")).stdout);
  assertEquals({ ...done, dryRun: true }, planned);
  assert(done.bytes > 0 && done.left > 0);
  const gone = done.removed.map(({ name }: { name: string }) => name);
  assert(gone.includes(before.digest));
  assert(gone.includes("tmp/build-killed"));

  assertEquals(await project.statuses(), { site: "cached", app: "cached" });
  Deno.removeSync(project.path("dist"), { recursive: true });
  assertEquals((await project.images("build", "bundle")).code, 0);
  assertEquals(Deno.readTextFileSync(project.path("dist/a")), "2");
  const blobs = new Set(filesBelow(`${state}/oci/blobs/sha256`));
  const { manifests } = JSON.parse(Deno.readTextFileSync(`${state}/oci/index.json`));
  assertEquals(manifests.length, 2);
  for (const { digest } of manifests) {
    assert(blobs.delete(digest.slice(7)));
    const path = `${state}/oci/blobs/sha256/${digest.slice(7)}`;
    const { config, layers } = JSON.parse(Deno.readTextFileSync(path));
    for (const each of [config, ...layers]) blobs.delete(each.digest.slice(7));
  }
  assertEquals([...blobs], []);
  assertStringIncludes((await project.images("prune")).stderr, "nothing to prune");
});

Deno.test("prune goes by age and by size, and by force takes the oldest that are current", async () => {
  await using project = await builtProject();
  project.write({ "site/a": "2" });
  await project.statuses("site");
  const removed = async (...args: string[]): Promise<string[]> => {
    const { stdout, stderr, code } = await project.images("prune", "--dry-run", "--json", ...args);
    assertEquals(code, 0, stderr);
    return JSON.parse(stdout).removed.map(({ kind, name }: Stored) => `${kind} ${name}`);
  };
  const unneeded = await removed();
  const earlier = unneeded.filter((each) => each.startsWith("record"));
  assertEquals(earlier.map((each) => each.split("@")[0]), ["record site"]);
  assert(unneeded.some((each) => each.startsWith("blob")));
  assertEquals(await removed("--older-than", "1h"), []);
  assertEquals(await removed("--max-size", "1GB"), []);
  assertEquals(await removed("--max-size", "0MB"), unneeded);
  assertEquals((await removed("--keep", "1")).filter((each) => each.startsWith("record")), []);
  for (const path of filesBelow(project.path(".images/logs"))) {
    Deno.utimeSync(project.path(`.images/logs/${path}`), 1e9, 1e9);
  }
  assertEquals(await removed("--older-than", "1h"), ["log logs/bundle.log"]);
  const forced = await removed("--max-size", "0MB", "--force");
  assertEquals(forced.slice(0, unneeded.length).sort(), unneeded.sort());
  // The latest of three images and a task, each of which stands by its key too, and one earlier.
  assertEquals(forced.filter((each) => each.startsWith("record")).length, 4 * 2 + 1);
});

Deno.test("prune refuses what it cannot read", async (t) => {
  await using project = await TestProject.resident();
  project.define("{ images: {} }");
  const cases: [string[], string][] = [
    [["--older-than", "soon"], '"14d"'],
    [["--max-size", "big"], '"10GB"'],
    [["--force"], "images clean"],
  ];
  for (const [args, expected] of cases) {
    await t.step(args.join(" "), async () => {
      const { code, stderr } = await project.images("prune", ...args);
      assertEquals(code, 2);
      assertStringIncludes(stderr, expected);
    });
  }
});

toolTest(["mkfifo"], "prune waits for runs that use the state", async () => {
  await using project = await builtProject();
  const gate = project.beside("gate");
  await new Deno.Command("mkfifo", { args: [gate] }).output();
  project.define(SITE.replace("mkdir -p dist", `cat ${gate} && mkdir -p dist`));
  const build = project.spawn("build", "app", "-v");
  const buildLines: string[] = [];
  const started = Promise.withResolvers<void>();
  const built = eachLine(build.stderr, (line) => {
    buildLines.push(line);
    if (line.includes("running")) started.resolve();
  });
  await started.promise;
  const pruning = project.spawn("prune", "--max-size", "0MB");
  const waiting = Promise.withResolvers<void>();
  const pruneLines: string[] = [];
  const pruned = eachLine(pruning.stderr, (line) => {
    pruneLines.push(line);
    if (line.includes("waiting")) waiting.resolve();
  });
  await waiting.promise;
  Deno.writeTextFileSync(gate, "go\n");
  const statuses = await Promise.all([build.status, pruning.status, built, pruned]);
  assertEquals(statuses.slice(0, 2).map((each) => (each as Deno.CommandStatus).code), [0, 0]);
  await Promise.all([build.stdout.cancel(), pruning.stdout.cancel()]);
  assertStringIncludes(pruneLines.at(-1)!, "removed");
  assertEquals(await project.statuses("app"), { app: "cached" });
});
