/** Images that are found by their sources: without Nix, and without starting it. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { exists } from "../../lib/store/state.ts";
import { imageOf, type TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { type LoopbackRegistry, startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { cloneOf } from "../publish/rig.ts";
import { flakeOf, FlakeProject, SYSTEM } from "./rig.ts";

const TOOLS = ["nix", "git", "docker-registry"];

const FLAKE = flakeOf(`{
  packages.${SYSTEM}.one = image { name = "one"; text = builtins.readFile ./one.txt; };
}`);

const images = (host: string, options = 'installable: ".#one"') =>
  `{
    registries: { team: registry("${host}/team") },
    images: {
      one: nix2container({ ${options} }),
      top: files({ base: { image: "one" }, layers: [{ from: "top", to: "/" }] }),
    },
  }`;

const FILES = { "flake.nix": FLAKE, "one.txt": "1", "top/file": "" };

/** The tags of a repository of the registry, and what each names. */
function tagsIn({ data }: LoopbackRegistry, repository: string): Record<string, string> {
  const folder = `${data}/docker/registry/v2/repositories/${repository}/_manifests/tags`;
  return Object.fromEntries([...Deno.readDirSync(folder)].map(({ name }) => [
    name,
    Deno.readTextFileSync(`${folder}/${name}/current/link`),
  ]));
}

/** A PATH with every program of this machine's but Nix's. */
async function pathWithoutNix(project: TestProject): Promise<string> {
  const folder = project.beside("without-nix");
  Deno.mkdirSync(folder, { recursive: true });
  for (const name of ["git", "sh", "cp", "rm"]) {
    const { stdout } = await runTool(["sh", "-c", `command -v ${name}`]);
    Deno.symlinkSync(stdout.trim(), `${folder}/${name}`);
  }
  return folder;
}

/** A clone as another machine has it, with nothing built. */
async function freshClone(project: TestProject): Promise<TestProject> {
  const clone = await cloneOf(project);
  // A copy's stats differ from the index's, as after `git clone`.
  await runTool(["git", "-C", clone.root, "status"]);
  return clone;
}

toolTest(TOOLS, "an image is found by its sources", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using flake = await FlakeProject.create(FILES, images(registry.host));
  const { project } = flake;
  const first = await project.json(["push", "--all"]);
  const sourceTags = () =>
    Object.keys(tagsIn(registry, "team/one")).filter((tag) => tag.startsWith("source-"));

  await t.step("which name what its content tag names", () => {
    const tags = tagsIn(registry, "team/one");
    const [source = ""] = sourceTags();
    assert(/^source-[0-9a-f]{32}$/.test(source), source);
    assertEquals(tags[source], tags[imageOf(first, "one").tag!]);
  });

  await t.step("on a fresh runner, without starting Nix", async () => {
    await using clone = await freshClone(project);
    const started = await flake.started(async () => {
      const pushed = await clone.json(["push", "--all"]);
      for (const name of ["one", "top"]) {
        const { status, key, destinations } = imageOf(pushed, name);
        assertEquals([status, key], ["remote", imageOf(first, name).key]);
        assertEquals(destinations?.[0]?.status, "current");
      }
      assertEquals(await clone.statuses(), { one: "cached", top: "cached" });
    });
    assertEquals(started, []);
  });

  await t.step("and is known by its derivation once Nix is asked", async () => {
    await using clone = await freshClone(project);
    const identity = () => {
      const [platform] = imageOf(first, "one").platform.split("@");
      const name = `one@${platform!.replace("/", "-")}.json`;
      const text = Deno.readTextFileSync(clone.path(`.images/records/images/${name}`));
      return Object.keys(JSON.parse(text.slice(text.indexOf("{"))).parts.identity ?? {})[0];
    };
    assertEquals(await clone.statuses(), { one: "remote", top: "remote" });
    assertEquals(identity(), "sourceKey");
    clone.write({ unrelated: "" });
    await runTool(["git", "-C", clone.root, "add", "unrelated"]);
    assertEquals(await clone.statuses(), { one: "cached", top: "cached" });
    assert(identity() !== "sourceKey");
  });

  await t.step("where there is no Nix", async () => {
    await using clone = await freshClone(project);
    clone.env.PATH = await pathWithoutNix(clone);
    assertEquals(imageOf(await clone.json(["plan"]), "one").verdict, "remote");
    const pushed = await clone.json(["push", "--all"]);
    assertEquals(imageOf(pushed, "one").status, "remote");
    assertEquals((await clone.json(["push", "top"])).ok, true);
  });

  await t.step("but not once they change, and a missing Nix is told with the tag", async () => {
    await using clone = await freshClone(project);
    const nix = clone.env.PATH!;
    clone.write({ "one.txt": "2" });
    clone.env.PATH = await pathWithoutNix(clone);
    const { error, status } = imageOf(await clone.json(["build", "one"], 3), "one");
    assertEquals(status, "unavailable");
    assertStringIncludes(error!.message, `${registry.host} holds no source-`);
    clone.write({ "one.txt": "1" });
    assertEquals(await clone.statuses(), { one: "remote", top: "remote" });
    clone.write({ "one.txt": "2" });
    clone.env.PATH = nix;
    assertEquals((await clone.statuses()).one, "built");
  });

  await t.step("by another name after an edit that changes nothing", async () => {
    project.write({ unrelated: "" });
    await flake.git("add", "unrelated");
    const before = sourceTags();
    assertEquals(imageOf(await project.json(["push", "--all"]), "one").status, "cached");
    assertEquals(sourceTags().length, before.length + 1);
  });

  await t.step("with tags of their own in pull requests, which others do not read", async () => {
    await using change = await freshClone(project);
    change.write({ "one.txt": "3" });
    Object.assign(change.env, { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request" });
    await change.json(["push", "--all", "--to", "team"]);
    assertEquals(sourceTags().filter((tag) => tag.startsWith("source-pr-")).length, 1);
    await using clone = await freshClone(project);
    clone.write({ "one.txt": "3" });
    clone.env.PATH = await pathWithoutNix(clone);
    assertEquals(imageOf(await clone.json(["build", "one"], 3), "one").status, "unavailable");
  });
});

toolTest(TOOLS, "no source tag is written where more than the sources decides", async (t) => {
  const cases: Record<
    string,
    (flake: FlakeProject) => [string | undefined, Record<string, string>]
  > = {
    "an impure argument": () => ['installable: ".#one", args: ["--impure"]', {}],
    "files that no clone need have": () => ['installable: "path:.#one"', {}],
    "a setting of Nix": (flake) => {
      const settings = `${flake.env.NIX_CONFIG ?? ""}\npure-eval = false`;
      return [undefined, { NIX_CONFIG: settings }];
    },
  };
  for (const [name, change] of Object.entries(cases)) {
    await t.step(name, async () => {
      await using registry = await startLoopbackRegistry();
      await using flake = await FlakeProject.create(FILES, "{ images: {} }");
      const [options, env] = change(flake);
      flake.project.define(images(registry.host, options));
      await flake.git("add", "-A");
      Object.assign(flake.project.env, env);
      await flake.project.json(["push", "one"]);
      const tags = Object.keys(tagsIn(registry, "team/one"));
      assertEquals(tags.filter((tag) => tag.startsWith("source-")), []);
    });
  }
});

toolTest(
  TOOLS,
  "no source tag names what was built before a commit that came meanwhile",
  async () => {
    await using registry = await startLoopbackRegistry();
    const flakeText = flakeOf(`{
    packages.${SYSTEM}.one = image { name = "one"; text = self.rev or "none"; };
  }`);
    await using flake = await FlakeProject.create(
      { ...FILES, "flake.nix": flakeText },
      images(registry.host),
    );
    const { project } = flake;
    const { stdout: nix } = await runTool(["sh", "-c", "command -v nix"]);
    const meanwhile = project.beside("meanwhile");
    const commit = `git -C ${project.root} -c user.name=t -c user.email=t@example.com commit -qm x`;
    project.fakeTool(
      "nix",
      `${nix.trim()} "$@"; code=$?
if [ "$1" = build ] && [ -e ${meanwhile} ]; then rm ${meanwhile}; ${commit} --allow-empty; fi
exit $code`,
    );
    Deno.writeTextFileSync(meanwhile, "");
    const sourceTags = async () => {
      assertEquals(imageOf(await project.json(["push", "one"]), "one").status, "built");
      assert(!exists(meanwhile));
      return Object.keys(tagsIn(registry, "team/one")).filter((tag) => tag.startsWith("source-"));
    };
    assertEquals(await sourceTags(), []);
    assertEquals((await sourceTags()).length, 1);
  },
);
