import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { ResultDocument } from "../../lib/model/result.ts";
import { TestProject } from "../support/project.ts";
import { eachLine } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";

/** A running watch: its lines as they come. */
class Watch implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #drained: Promise<unknown>;
  readonly #lines: string[] = [];
  readonly #documents: ResultDocument[] = [];
  #woken = Promise.withResolvers<void>();
  #rounds = 0;

  constructor(project: TestProject, ...args: readonly string[]) {
    const command = project.commandLine("watch", "--json", "--output", "plain", ...args);
    // One pipe for both, so that what was written first is read first.
    this.#child = new Deno.Command("sh", {
      args: ["-c", 'exec "$0" "$@" 2>&1', Deno.execPath(), ...command],
      cwd: project.root,
      env: { NO_COLOR: "1", ...project.env },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#drained = eachLine(this.#child.stdout, (line) =>
      this.#take(() => {
        if (line.startsWith("{")) this.#documents.push(JSON.parse(line));
        else this.#lines.push(line);
      }));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** All that was said. */
  get text(): string {
    return this.#lines.join("\n");
  }

  /** Documents of the rounds that were shown. */
  get documents(): readonly ResultDocument[] {
    return this.#documents;
  }

  /** Waits for the next round that is shown; answers with its lines. */
  async round(): Promise<string[]> {
    const from = this.#rounds;
    const ends = () =>
      this.#lines.map((line, at) => line.startsWith("waiting for a change") ? at : -1)
        .filter((at) => at >= 0);
    await this.until(() => ends().length > from);
    this.#rounds = from + 1;
    return this.#lines.slice(from === 0 ? 0 : ends()[from - 1]! + 1, ends()[from]);
  }

  /** Waits for something to be said. */
  async until(isSaid: () => boolean): Promise<void> {
    while (!isSaid()) await this.#woken.promise;
  }

  /** Sends a signal, and answers with the status when it has ended. */
  async end(signal: Deno.Signal = "SIGINT"): Promise<number> {
    this.#child.kill(signal);
    const [{ code }] = await Promise.all([this.#child.status, this.#drained]);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await Promise.all([this.#child.status, this.#drained]);
  }

  #take(keep: () => void): void {
    keep();
    this.#woken.resolve();
    this.#woken = Promise.withResolvers();
  }
}

function statusesOf(document: ResultDocument | undefined): Record<string, string | undefined> {
  return Object.fromEntries((document?.images ?? []).map(({ name, status }) => [name, status]));
}

const DEFINITION = `{
  tasks: { bundle: task({ inputs: ["src/**"], outputs: ["dist/**"],
    run: ["sh", "-c", "mkdir -p dist && cat src/* > dist/all"] }) },
  images: {
    site: files({ layers: [{ from: "site", to: "/srv" }] }),
    app: files({ layers: [{ from: "dist", to: "/app" }], needs: ["bundle"] }),
  },
}`;

Deno.test("watch builds again when keys change, and only then", async () => {
  await using project = await TestProject.create({ "site/a": "1", "src/a": "1" });
  project.define(DEFINITION);
  await using watch = new Watch(project);
  await watch.round();
  assertEquals(statusesOf(watch.documents[0]), { site: "built", app: "built" });

  // A touched file is looked at before the change that follows, and shows nothing.
  Deno.utimeSync(project.path("site/a"), 2e9, 2e9);
  project.write({ "site/a": "2" });
  assertMatch((await watch.round())[0]!, /^\d\d:\d\d:\d\d changed: site\/a$/);
  assertEquals(statusesOf(watch.documents[1]), { site: "built", app: "cached" });

  // A folder that was not there yet is watched too.
  project.write({ "site/new/deep/b": "1" });
  await watch.until(() => watch.text.includes("+ site/new"));
  await watch.round();
  project.write({ "site/new/deep/b": "2" });
  await watch.until(() => watch.text.includes("~ site/new/deep/b"));
  await watch.round();

  project.write({ "src/b": "2" });
  const built = () => watch.documents.filter((each) => statusesOf(each).app === "built");
  await watch.until(() => built().length === 2);
  assertEquals(await watch.end(), 130);
  assertEquals(Deno.readTextFileSync(project.path("dist/all")), "12");
  assertEquals(await project.statuses(), { site: "cached", app: "cached" });
});

Deno.test("watch shows nothing for a touched file", async () => {
  await using project = await TestProject.create({ "site/a": "1", "src/a": "1" });
  project.define(DEFINITION);
  await using watch = new Watch(project, "site");
  await watch.round();
  for (let touched = 0; touched < 3; touched++) {
    Deno.utimeSync(project.path("site/a"), 2e9 + touched, 2e9);
    Deno.utimeSync(project.path("images.ts"), 2e9 + touched, 2e9);
  }
  project.write({ "site/b": "2" });
  const lines = await watch.round();
  assertEquals(lines.filter((line) => /^\d\d:\d\d:\d\d/.test(line)).length, 1);
  assertEquals(watch.documents.map(statusesOf), [{ site: "built" }, { site: "built" }]);
  assertEquals(await watch.end("SIGTERM"), 130);
});

Deno.test("watch loads images.ts and its modules again, and shows faults in them", async () => {
  await using project = await TestProject.create({ "site/a": "1", "src/a": "1", "port.ts": "" });
  const define = (port: string) => {
    project.write({ "port.ts": `export const port = ${port};\n` });
  };
  define("80");
  project.write({
    "images.ts": `import { define } from "images";
import { files } from "images/plugins";
import { port } from "./port.ts";
export default define({ images: {
  site: files({ layers: [{ from: "site", to: "/srv" }], ports: [port] }),
} });`,
  });
  await using watch = new Watch(project);
  await watch.round();
  define("8080");
  await watch.round();
  assertEquals(statusesOf(watch.documents.at(-1)), { site: "built" });

  define("unheardOf");
  assertStringIncludes((await watch.round()).join("\n"), "unheardOf is not defined");
  define("8080");
  await watch.round();
  assertEquals(statusesOf(watch.documents.at(-1)), { site: "cached" });

  project.write({ "images.ts": "export default 1;\n" });
  assertStringIncludes((await watch.round()).join("\n"), "define(");
  project.define(DEFINITION);
  await watch.round();
  assertEquals(statusesOf(watch.documents.at(-1)), { site: "built", app: "built" });
  assertEquals(await watch.end(), 130);
});

Deno.test("watch builds when what was missing appears", async () => {
  await using project = await TestProject.create({ "api/sub/x": "1" });
  project.define(`{ images: { api: dockerfile({ context: "api" }) } }`);
  await using watch = new Watch(project);
  await watch.round();
  assertEquals(statusesOf(watch.documents[0]), { api: "failed" });
  project.write({ "api/Dockerfile": "FROM scratch\nCOPY sub/y /\n" });
  await watch.until(() => watch.text.includes("sub/y"));
  project.write({ "api/sub/y": "1" });
  await watch.until(() => watch.documents.some((each) => statusesOf(each).api === "built"));
  assertEquals(await watch.end(), 130);
});

Deno.test("watch sees what is reached through links, and links that lead elsewhere", async () => {
  const dockerfile = (label: string) => `FROM scratch\nCOPY f /f\nLABEL label=${label}\n`;
  await using project = await TestProject.create({
    "real/deep/D": dockerfile("1"),
    "one/f": "1",
    "two/f": "2",
    "src/in": "1",
    "other/in": "2",
    "modules/table.ts": "",
  });
  const link = (path: string, target: string) => {
    Deno.symlinkSync(target, project.path(`${path}.new`));
    Deno.renameSync(project.path(`${path}.new`), project.path(path));
  };
  link("one/Dockerfile", "../links");
  link("links", "real/deep/D");
  link("two/Dockerfile", "../real/deep/D");
  Deno.mkdirSync(project.path("by"));
  link("by/context", "../one");
  link("by/inputs", "middle");
  link("by/middle", "../src");
  link("table.ts", "modules/table.ts");
  project.define(`{ images: {
    app: dockerfile({ context: "by/context" }),
    site: files({ layers: [], inputs: ["by/inputs/**"] }),
  } }`);
  const path = project.path("images.ts");
  Deno.writeTextFileSync(path, `import "./table.ts";\n${Deno.readTextFileSync(path)}`);
  await using watch = new Watch(project);
  await watch.round();
  const builds = (name: string) =>
    watch.documents.filter((each) => statusesOf(each)[name] === "built").length;
  const edits: [string, () => void][] = [
    ["app", () => project.write({ "real/deep/D": dockerfile("2") })],
    ["app", () => link("by/context", "../two")],
    ["app", () => project.write({ "two/f": "3" })],
    ["app", () => {
      project.write({ "else/D": dockerfile("3") });
      link("two/Dockerfile", "../else/D");
    }],
    ["app", () => project.write({ "else/D": dockerfile("4") })],
    ["site", () => link("by/middle", "../other")],
    ["site", () => project.write({ "other/in": "3" })],
    ["site", () => {
      Deno.renameSync(project.path("other"), project.path("moved"));
      project.write({ "other/in": "4" });
    }],
    ["site", () => project.write({ "other/in": "5" })],
  ];
  for (const [name, edit] of edits) {
    const before = builds(name);
    edit();
    await watch.until(() => builds(name) > before);
  }
  project.write({ "modules/table.ts": "throw new Error('as edited');\n" });
  await watch.until(() => watch.text.includes("as edited"));
  assertEquals(await watch.end(), 130);
});

toolTest(["mkfifo"], "watch builds once more for what changes during a build", async () => {
  await using project = await TestProject.create({ "src/a": "1" });
  const gate = project.beside("gate");
  await new Deno.Command("mkfifo", { args: [gate] }).output();
  project.define(
    DEFINITION.replace(/ {4}site: .*\n/, "").replace(
      "mkdir",
      () => `echo waits-$$; cat ${gate}; mkdir`,
    ),
  );
  await using watch = new Watch(project, "-v");
  await watch.until(() => watch.text.includes("waits-"));
  project.write({ "src/b": "2", "images.ts": Deno.readTextFileSync(project.path("images.ts")) });
  Deno.writeTextFileSync(gate, "");
  const runs = () => new Set(watch.text.match(/waits-\d+/g)).size;
  await watch.until(() => runs() === 2);
  Deno.writeTextFileSync(gate, "");
  await watch.until(() => watch.documents.some((each) => statusesOf(each).app === "built"));
  assertEquals(Deno.readTextFileSync(project.path("dist/all")), "12");
  assertEquals(await watch.end(), 130);
});

toolTest(
  ["mkfifo", "pgrep"],
  "watch leaves nothing running, however often it is asked to end",
  async (t) => {
    for (const signals of [1, 2]) {
      await t.step(`${signals} signals`, async () => {
        await using project = await TestProject.create({ "src/a": "1" });
        const gate = project.beside("gate");
        await new Deno.Command("mkfifo", { args: [gate] }).output();
        // What ignores being asked must be ended after a while, or at the second signal.
        const deaf = signals === 2 ? "trap '' TERM INT; " : "";
        const command = `${deaf}echo waits; while ! cat ${gate}; do :; done`;
        project.define(DEFINITION.replace("mkdir -p dist && cat src/* > dist/all", command));
        await using watch = new Watch(project, "app", "-v");
        await watch.until(() => watch.text.includes("waits"));
        const pgrep = () => new Deno.Command("pgrep", { args: ["-f", gate] }).output();
        assert((await pgrep()).success);
        if (signals === 2) Deno.kill(watch.pid, "SIGINT");
        assertEquals(await watch.end(), 130);
        assertEquals(new TextDecoder().decode((await pgrep()).stdout), "");
      });
    }
  },
);

toolTest(["docker-registry"], "watch --push publishes what it built", async () => {
  await using registry = await startLoopbackRegistry();
  await using project = await TestProject.create({ "site/a": "1" });
  project.define(`{
    registries: { local: registry("${registry.host}/team") },
    images: { site: files({ layers: [{ from: "site", to: "/srv" }] }) },
  }`);
  await using watch = new Watch(project, "--push");
  await watch.round();
  project.write({ "site/a": "2" });
  await watch.round();
  const pushed = watch.documents.map(({ images }) => images[0]!);
  assertEquals(pushed.map(({ status }) => status), ["built", "built"]);
  const response = await fetch(`http://${registry.host}/v2/team/site/tags/list`);
  const { tags } = await response.json();
  assertEquals(tags.sort(), [...pushed.map(({ tag }) => tag), "latest"].sort());
  assertEquals(await watch.end(), 130);
});

Deno.test("watch --load hands on what it built, and only that", async () => {
  await using project = await TestProject.create({ "site/a": "1" });
  project.define(`{ images: { site: files({ layers: [{ from: "site", to: "/srv" }] }) } }`);
  const archive = project.beside("loaded.tar");
  project.fakeTool("podman", `case "$1" in load) cat > ${archive};; *) exit 1;; esac`);
  await using watch = new Watch(project, "--load", "--engine", "podman");
  const loads = (lines: readonly string[]) =>
    lines.filter((line) => line === "site  loaded       into podman as site:latest").length;
  assertEquals(loads(await watch.round()), 1);
  // A touched file is looked at before the change that follows, and loads nothing.
  Deno.utimeSync(project.path("site/a"), 2e9, 2e9);
  project.write({ "site/a": "2" });
  assertEquals(loads(await watch.round()), 1);
  assertEquals(project.starts("podman").filter((args) => args === "load").length, 2);
  assert(Deno.statSync(archive).size > 1024);
  assertEquals(watch.documents.map((each) => statusesOf(each).site), ["built", "built"]);
  assertEquals(await watch.end(), 130);
});

Deno.test("watch takes no notice of what it prints into the project", async () => {
  await using project = await TestProject.create({ "site/a": "a" }, "{ images: {} }");
  const log = project.path("watch.log");
  project.write({ "watch.log": "" });
  const command = [Deno.execPath(), ...project.commandLine("watch", "--output", "plain")];
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$0" "$@" > watch.log 2>&1', ...command],
    cwd: project.root,
    env: { NO_COLOR: "1", ...project.env },
    stdin: "null",
  }).spawn();
  try {
    const waits = () => Deno.readTextFileSync(log).match(/^waiting for a change/gm)?.length ?? 0;
    const until = async (count: number) => {
      const watcher = Deno.watchFs(log);
      if (waits() >= count) return watcher.close();
      for await (const _ of watcher) if (waits() >= count) return;
    };
    await until(1);
    project.write({ "images.ts": "throw new Error('broken')" });
    await until(2);
    project.write({ "images.ts": "throw new Error('still broken')" });
    await until(3);
    assertEquals(Deno.readTextFileSync(log).includes("watch.log"), false);
  } finally {
    child.kill("SIGINT");
    await child.status;
  }
});
