/** Two runs of one project at once; named pipes hold their tasks where the test wants them. */

import { assertEquals } from "@std/assert";
import { imageOf, TestProject } from "../support/project.ts";
import { eachLine } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";

/** A run whose lines are waited for. */
class Run {
  readonly #process: Deno.ChildProcess;
  readonly #read: Promise<void>;
  readonly #lines: string[] = [];
  #told = Promise.withResolvers<void>();
  #isOver = false;

  constructor(project: TestProject, ...args: readonly string[]) {
    this.#process = project.spawn(...args);
    this.#read = eachLine(this.#process.stderr, (line) => {
      this.#lines.push(line);
      this.#told.resolve();
      this.#told = Promise.withResolvers();
    }).then(() => {
      this.#isOver = true;
      this.#told.resolve();
    });
  }

  /** Waits until it has said something. */
  async says(words: RegExp): Promise<void> {
    while (!this.#lines.some((line) => words.test(line))) {
      if (this.#isOver) throw new Error(`${words} was never said:\n${this.#lines.join("\n")}`);
      await this.#told.promise;
    }
  }

  /** Waits for its end, which must be a good one. */
  async ends(): Promise<void> {
    const [{ code }] = await Promise.all([
      this.#process.status,
      this.#process.stdout.cancel(),
      this.#read,
    ]);
    assertEquals(code, 0, this.#lines.join("\n"));
  }
}

/** Opens a named pipe that someone waits at, now or later, and lets him through. */
async function pass(gate: string): Promise<void> {
  const pipe = await Deno.open(gate, { write: true });
  await pipe.write(new TextEncoder().encode("go\n"));
  pipe.close();
}

async function gatesBeside(project: TestProject, names: readonly string[]): Promise<string[]> {
  const gates = names.map((name) => project.beside(name));
  await new Deno.Command("mkfifo", { args: gates }).output();
  return gates;
}

toolTest(
  ["mkfifo"],
  "of two runs at once one runs a task and the other takes what it made",
  async () => {
    await using project = await TestProject.create({ "src/a": "a\n", "src/b": "b\n" });
    const [gate] = await gatesBeside(project, ["gate"]);
    const script = `echo ran >> runs; mkdir gen; cp src/a gen; cat ${gate}; cp src/b gen`;
    project.define(`{
    tasks: { gen: task({ inputs: ["src/**"], outputs: ["gen/**"], run: ["sh", "-c", "${script}"] }) },
    images: { app: files({ needs: ["gen"], layers: [{ from: "gen", to: "/" }] }) },
  }`);
    const first = new Run(project, "build", "-v");
    await first.says(/gen\s+running/);
    const second = new Run(project, "build", "-v");
    await second.says(/gen.*waiting/);
    await pass(gate!);
    await Promise.all([first.ends(), second.ends()]);
    assertEquals(Deno.readTextFileSync(project.path("runs")), "ran\n");
    assertEquals(Deno.readTextFileSync(project.path("gen/b")), "b\n");
    const { images, tasks } = await project.json(["build"]);
    assertEquals([images, tasks].map((all) => all.map(({ status }) => status)), [
      ["cached"],
      ["cached"],
    ]);
  },
);

toolTest(["mkfifo"], "an image waits while another run makes a task's outputs anew", async () => {
  await using project = await TestProject.create({ "src/a": "a\n", "src/b": "b\n" });
  const [gate, other] = await gatesBeside(project, ["gate", "other"]);
  const halfway = `mkdir gen; cp src/a gen; if [ -e pause ]; then cat ${gate}; fi; cp src/b gen`;
  project.define(`{
    tasks: {
      gen: task({ inputs: ["src/**"], outputs: ["gen/**"], run: ["sh", "-c", "${halfway}"] }),
      late: task({ inputs: ["src/**"], outputs: ["late"], run: ["sh", "-c", "cat ${other} > late"] }),
    },
    images: { app: files({ needs: ["gen", "late"], layers: [{ from: "gen", to: "/" }] }) },
  }`);
  const image = new Run(project, "build", "-v");
  await image.says(/gen\s+built/);
  project.write({ pause: "" });
  const task = new Run(project, "build", "gen", "--force", "-v");
  const held = await Deno.open(gate!, { write: true });
  await pass(other!);
  await image.says(/gen.*waiting/);
  await held.write(new TextEncoder().encode("go\n"));
  held.close();
  await Promise.all([image.ends(), task.ends()]);
  const { imageId } = imageOf(await project.json(["build"]), "app");
  await using alone = await TestProject.create({ "src/a": "a\n", "src/b": "b\n", late: "go\n" });
  alone.define(`{ images: { app: files({ layers: [{ from: "src", to: "/" }] }) } }`);
  assertEquals(imageOf(await alone.json(["build"]), "app").imageId, imageId);
});

toolTest(["mkfifo"], "clean waits for a run to end, and leaves the locks", async () => {
  await using project = await TestProject.create({ "src/a": "a\n" });
  const [gate] = await gatesBeside(project, ["gate"]);
  project.define(`{
    tasks: { gen: task({ outputs: ["gen"], run: ["sh", "-c", "cat ${gate} > gen"] }) },
    images: { app: files({ needs: ["gen"], layers: [{ from: "gen", to: "/" }] }) },
  }`);
  const build = new Run(project, "build", "-v");
  await build.says(/gen\s+running/);
  const clean = new Run(project, "clean");
  await clean.says(/another run is using the state; waiting/);
  await pass(gate!);
  await Promise.all([build.ends(), clean.ends()]);
  const left = [...Deno.readDirSync(project.path(".images"))].map(({ name }) => name).sort();
  assertEquals(left, [".gitignore", "locks"]);
});
