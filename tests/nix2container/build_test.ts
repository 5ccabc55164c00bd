import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { toolTest } from "../support/tools.ts";
import { flakeOf, FlakeProject, SYSTEM } from "./rig.ts";

const nix2container = (name: string, more = "") =>
  `${name}: nix2container({ installable: ".#${name}"${more} }),`;

toolTest(["nix", "git"], "one build makes all images, and its log is shown by image", async () => {
  await using flake = await FlakeProject.create(
    {
      "flake.nix": flakeOf(`
        let shared = image { name = "shared"; script = "echo from shared"; }; in {
          packages.${SYSTEM} = {
            one = image { name = "one"; text = "\${shared}"; };
            two = image { name = "two"; text = "\${shared}"; script = "echo only two"; };
            three = image { name = "three"; script = "echo only three"; };
          };
        }`),
    },
    `{ images: { ${["one", "two", "three"].map((name) => nix2container(name)).join("")} } }`,
  );
  const { project } = flake;
  // What another test has built is built again: its log is what matters.
  project.write({ "library.nix": salted(project) });
  assertEquals(
    await flake.builds({ one: "built", two: "built", three: "built" }),
    ["eval", "build"],
  );
  const log = (name: string) => Deno.readTextFileSync(project.path(`.images/logs/${name}.log`));
  assertStringIncludes(log("one"), "shared> from shared");
  assertStringIncludes(log("two"), "shared> from shared");
  assertStringIncludes(log("two"), "two> only two");
  assert(!log("one").includes("only two"), log("one"));
  assert(!log("three").includes("shared"), log("three"));
});

toolTest(["nix", "git"], "an image that fails does not take the others with it", async (t) => {
  await using flake = await FlakeProject.create(
    {
      "flake.nix": flakeOf(`
        let broken = image { name = "broken-dep"; script = "echo so it goes; exit 3"; }; in {
          packages.${SYSTEM} = {
            good = image { name = "good"; };
            bad = image { name = "bad"; text = "\${broken}"; };
            wrong = image { name = throw "no name for it"; };
          };
        }`),
    },
    `{ images: { ${["good", "bad", "wrong"].map((name) => nix2container(name)).join("")}
       none: nix2container({ installable: ".#missing" }),
    } }`,
  );
  const { project } = flake;
  project.write({ "library.nix": salted(project) });
  const document = await project.json(["build", "--keep-going"], 1);
  const errorOf = (name: string) => imageOf(document, name).error;
  await t.step("what can be built is", () => {
    assertEquals(imageOf(document, "good").status, "built");
  });
  await t.step("a builder that fails is named, with its log", () => {
    assertMatch(errorOf("bad")?.message ?? "", /builder for '.*-broken-dep\.drv' failed with exit/);
    assertStringIncludes(Deno.readTextFileSync(errorOf("bad")?.log ?? ""), "so it goes");
  });
  await t.step("an evaluation that fails says why", () => {
    assertStringIncludes(errorOf("wrong")?.message ?? "", "no name for it");
    assertStringIncludes(errorOf("none")?.message ?? "", "packages.");
    assertMatch(errorOf("none")?.where ?? "", /images\.ts:\d+:\d+/);
  });
});

toolTest(
  ["nix", "git"],
  "files that git does not track are named when the flake misses them",
  async (t) => {
    await using flake = await FlakeProject.create(
      { "flake.nix": flakeOf(`{ packages.${SYSTEM}.one = image { name = "one"; }; }`) },
      `{ images: { ${nix2container("one")} } }`,
    );
    const { project } = flake;
    const errorOf = async () => imageOf(await project.json(["build"], 1), "one").error;
    const outputs = (text: string) =>
      project.write({
        "flake.nix": flakeOf(
          `{ packages.${SYSTEM} = { one = image { name = "one"; text = ${text}; }; }; }`,
        ),
      });
    project.write({ "new.txt": "1", "parts/default.nix": `{ text = "2"; }` });
    await t.step("a file", async () => {
      outputs("builtins.readFile ./new.txt");
      const error = await errorOf();
      assertStringIncludes(error?.message ?? "", "it does not track new.txt");
      assertStringIncludes(error?.next ?? "", `git -C ${project.root} add new.txt`);
    });
    await t.step("a folder", async () => {
      outputs("(import ./parts).text");
      assertStringIncludes((await errorOf())?.message ?? "", "it does not track parts");
    });
    await t.step("a file that would have given an attribute", async () => {
      project.write({
        "flake.nix": flakeOf(
          `{ packages.${SYSTEM} = if builtins.pathExists ./parts then import ./parts else { }; }`,
        ),
      });
      assertStringIncludes((await errorOf())?.message ?? "", "it does not track parts/default.nix");
    });
    await t.step("and it works once they are added", async () => {
      outputs("(import ./parts).text");
      await flake.git("add", "parts");
      assertEquals(await project.statuses(), { one: "built" });
    });
  },
);

toolTest(["nix", "git"], "an image is the output that its installable names", async () => {
  await using flake = await FlakeProject.create({
    "flake.nix": flakeOf(`{
      packages.${SYSTEM}.two = derivation {
        name = "two";
        system = "${SYSTEM}";
        builder = "/bin/sh";
        outputs = [ "out" "img" ];
        args = [ "-c" "printf %s \\"$plain\\" > $out; printf %s \\"$labelled\\" > $img" ];
        plain = (image { name = "two"; text = "out"; }).json;
        labelled = (image { name = "two"; text = "img"; }).json;
      };
    }`),
  }, "{}");
  const { project } = flake;
  const define = (installable: string, text: string) =>
    project.define(`{ images: { two: nix2container({
      installable: "${installable}",
      expect: { labels: { text: "${text}" } },
    }) } }`);
  define(".#two", "out");
  assertEquals(await project.statuses(), { two: "built" });
  define(".#two^img", "img");
  assertEquals(await project.statuses(), { two: "built" });
  define(".#two^dev", "img");
  const { error } = imageOf(await project.json(["build"], 1), "two");
  assertEquals(error?.message, 'What was built has no output "dev"');
  assertEquals(error?.next, "name one of its outputs in `installable`: img, out");
});

toolTest(["nix", "git"], "several platforms become one index", async () => {
  await using flake = await FlakeProject.create(
    {
      "flake.nix": flakeOf(`{
        packages.x86_64-linux.one = image { name = "one"; arch = "amd64"; };
        packages.aarch64-linux.one = image { name = "one"; arch = "arm64"; };
        packages.aarch64-linux.wrong = image { name = "wrong"; arch = "amd64"; };
        packages.x86_64-linux.wrong = image { name = "wrong"; arch = "amd64"; };
      }`),
    },
    `{ images: {
      ${nix2container("one", ', platforms: ["linux/amd64", "linux/arm64"]')}
      ${nix2container("wrong", ', platforms: ["linux/amd64", "linux/arm64"]')}
    } }`,
  );
  const { project } = flake;
  const started = await flake.started(async () => {
    const { images } = await project.json(["build", "one"]);
    assertEquals(images.map(({ platform, status }) => [platform, status]), [
      ["linux/amd64", "built"],
      ["linux/arm64", "built"],
      ["index", "built"],
    ]);
    const [amd64, arm64] = images;
    assert(amd64?.imageId !== arm64?.imageId);
  });
  assertEquals(started, ["eval", "build"]);
  const { images } = await project.json(["build", "wrong"], 1);
  assertStringIncludes(images[1]?.error?.message ?? "", "is for amd64, not for linux/arm64");
});

toolTest(
  ["nix", "git"],
  "labels, health check and time of the recipe enter the config",
  async () => {
    await using flake = await FlakeProject.create(
      {
        "flake.nix": flakeOf(
          `{ packages.${SYSTEM}.default = image { name = "one"; text = "kept"; }; }`,
        ),
      },
      `{ images: { one: nix2container({
      installable: ".",
      labels: { a: "b" },
      created: 86400,
      healthcheck: { test: ["CMD", "/bin/check"], interval: 1.5, retries: 3 },
      expect: { labels: { a: "b", text: "kept" }, maxLayers: 0 },
    }) } }`,
    );
    const { imageId } = imageOf(await flake.project.json(["build"]), "one");
    const path = flake.project.path(`.images/oci/blobs/sha256/${imageId?.slice(7)}`);
    const config = JSON.parse(Deno.readTextFileSync(path));
    assertEquals(config.created, "1970-01-02T00:00:00Z");
    assertEquals(config.config.Labels, { a: "b", text: "kept" });
    assertEquals(config.config.Healthcheck, {
      Test: ["CMD", "/bin/check"],
      Interval: 1.5e9,
      Retries: 3,
    });
  },
);

/** A `nix` that answers with what is in files, and writes down its arguments. */
async function scripted(images: string, script: string): Promise<TestProject> {
  const project = await TestProject.resident({ "flake.nix": "{ }" });
  project.define(images);
  project.fakeTool("nix", script);
  return project;
}

const IMAGE = `{"version":1,"image-config":{},"layers":null,"arch":"","created":null}`;

Deno.test("arguments go to Nix, and newer versions are asked for outputs", async () => {
  await using project = await scripted(
    `{ images: { one: nix2container({
      installable: "nixpkgs#one",
      args: ["--max-jobs", "4", "--rebuild", "--builders", "ssh://b"],
    }) } }`,
    `case "$1" in
      eval) echo '{"version":"2.24.9","found":["/nix/store/x.drv"]}' ;;
      build)
        printf '%s' '${IMAGE}' > "$PWD/out.json"
        printf '[{"drvPath":"/nix/store/x.drv","outputs":{"out":"%s/out.json"}}]' "$PWD" ;;
    esac`,
  );
  assertEquals(await project.statuses(), { one: "built" });
  const [evaluation = "", build = ""] = project.starts("nix");
  assertMatch(
    evaluation,
    /^eval .*--no-write-lock-file --max-jobs 4 --builders ssh:\/\/b nixpkgs#one /,
  );
  assertMatch(
    build,
    /^build .*--max-jobs 4 --rebuild --builders ssh:\/\/b \/nix\/store\/x\.drv\^\*$/,
  );
});

/** Answers of a `nix` whose derivations and outputs are in a folder beside the project. */
const EVALUATED = `case "$*" in
  *slow*fast*) found="\\"$OUT/slow.drv\\",\\"$OUT/fast.drv\\"" ;;
  *slow*) found="\\"$OUT/slow.drv\\"" ;;
  *) found="\\"$OUT/fast.drv\\"" ;;
esac
printf '{"version":"2.8.0","found":[%s]}' "$found"`;

const BUILT = `printf '%s' '${IMAGE}' > "$OUT/image.json"
printf '[{"drvPath":"%s/slow.drv","outputs":{"out":"%s/image.json"}},' "$OUT" "$OUT"
printf '{"drvPath":"%s/fast.drv","outputs":{"out":"%s/image.json"}}]' "$OUT" "$OUT"`;

/** What never ends while it concerns `slow`. */
const ENDLESS: readonly (readonly [string, string, string])[] = [
  ["an evaluation", "eval", ""],
  ["an evaluation that is part of the build", "eval", 'needs: ["made"],'],
  ["a build", "build", ""],
];

Deno.test("an image that runs out of time does not take the others with it", async (t) => {
  for (const [what, command, more] of ENDLESS) {
    await t.step(what, async () => {
      await using project = await scripted(
        `{
          tasks: { made: task({ outputs: ["made"], run: ["touch", "made"] }) },
          images: {
            slow: nix2container({ ${more} installable: ".#slow", timeout: 0.2 }),
            fast: nix2container({ ${more} installable: ".#fast" }),
          },
        }`,
        `case "$*" in
          ${command}*slow*) exec sleep 600 ;;
          eval*) ${EVALUATED} ;;
          build*) ${BUILT} ;;
        esac`,
      );
      project.env.OUT = project.beside("out");
      Deno.mkdirSync(project.beside("out"));
      const document = await project.json(["build", "--keep-going"], 1);
      assertEquals(imageOf(document, "fast").status, "built");
      assertStringIncludes(imageOf(document, "slow").error?.message ?? "", "timeout of 0.2 s");
    });
  }
});

Deno.test("attic fills its cache beside the build; that it is missing is a notice", async (t) => {
  await using project = await scripted(
    `{ images: { one: nix2container({ installable: "x#one", watchStore: "team" }) } }`,
    `case "$1" in
      eval) echo '{"version":"2.8.0","found":["/nix/store/x.drv"]}' ;;
      build)
        while [ -n "$UNTIL" ] && ! eval "$UNTIL"; do sleep 0.02; done
        printf '%s' '${IMAGE}' > "$PWD/out.json"
        printf '[{"drvPath":"/nix/store/x.drv","outputs":{"out":"%s/out.json"}}]' "$PWD" ;;
    esac`,
  );
  await t.step("missing", async () => {
    const { code, stderr } = await project.images("build");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, 'attic is not installed, so the cache "team" is not filled');
  });
  await t.step("there, and ended with the build", async () => {
    project.env.UNTIL = '[ -s "$PWD/watching" ]';
    project.fakeTool("attic", `echo watches; echo $$ > "$PWD/watching"; exec sleep 600`);
    assertEquals((await project.images("build", "--force")).code, 0);
    assertEquals(project.starts("attic"), ["watch-store team"]);
    const pid = Deno.readTextFileSync(project.path("watching")).trim();
    assert(!isRunning(pid), "attic outlives the build");
  });
  await t.step("one that fails is a notice", async () => {
    Deno.removeSync(project.path("watching"));
    // A process that has ended has this number until its status has been taken.
    project.env.UNTIL = '[ -s "$PWD/watching" ] && ! kill -0 $(cat "$PWD/watching")';
    project.fakeTool("attic", `echo $$ > "$PWD/watching"; exit 7`);
    const { code, stderr } = await project.images("build", "--force");
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "ended by itself with status 7");
  });
});

function isRunning(pid: string): boolean {
  try {
    return !/^State:\s+Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

/** The library with a word in every derivation that no other run has used. */
function salted(project: TestProject): string {
  const library = Deno.readTextFileSync(project.path("library.nix"));
  return library.replace("builder =", `salt = "${crypto.randomUUID()}"; builder =`);
}
