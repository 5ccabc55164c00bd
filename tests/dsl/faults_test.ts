import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { loadProject } from "../../lib/dsl/load.ts";
import { Fault, renderFault } from "../../lib/model/errors.ts";

const HEAD = `import { define, registry, task } from "images";
import { dockerfile, files } from "images/plugins";
`;

/** Loads a module of these lines, which must be at fault. */
async function faultOf(source: string): Promise<Fault> {
  const folder = await Deno.makeTempDir({ prefix: "images-dsl #%41 (ü)'-" });
  try {
    const file = `${folder}/images.js`;
    await Deno.writeTextFile(file, source);
    return await assertRejects(() => loadProject(file), Fault);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is wrong, the word the fault must point at, and what its text must hold. */
interface Case {
  readonly what: string;
  readonly source: string;
  /** Text at the place that is pointed at. */
  readonly at: string;
  readonly says: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: "nothing to define",
    source: "export default define();",
    at: "define()",
    says: ["define() is given no object", "write `define({ images: { … } })`"],
  },
  {
    what: "broken syntax",
    source: "export default define({ images: { ; } });",
    at: "; }",
    says: ["Cannot load it: Unexpected token", "correct the syntax"],
  },
  {
    what: "an import of what is not exported",
    source: 'import { nope } from "images"; export default nope;',
    at: "nope",
    says: ["'nope'", "correct what throws it, or what it imports"],
  },
  {
    what: "an import of what is not there",
    source: `// Its own line.
import { nope } from "./nope.js";
export default nope;`,
    at: '"./nope.js"',
    says: ["Module not found", "correct what throws it, or what it imports"],
  },
  {
    what: "a getter that calls itself",
    source: "export default define({ get images() { return this.images; } });",
    // The stack is full here or there on its line.
    at: "",
    says: ["Cannot read what define() is given: Maximum call stack size", "correct what throws it"],
  },
  {
    what: "a base that is no reference",
    source: `export default define({
  images: { app: files({ base: "gcr?.io/x/app", layers: [] }) },
});`,
    at: '"gcr?.io/x/app"',
    says: ['a reference such as "ghcr.io/org/base:1"'],
  },
  {
    what: "a registry that is no host",
    source: `export default define({
  registries: { up: registry("my_registry:5000/org") },
  images: {},
});`,
    at: '"my_registry:5000/org"',
    says: ["no host with a path"],
  },
  {
    what: "an unknown option",
    source: `export default define({
  images: {
    app: dockerfile({
      contxt: "app",
    }),
  },
});`,
    at: "contxt",
    says: ['no option "contxt"', 'did you mean "context"?'],
  },
  {
    what: "an option of another type",
    source: `export default define({ images: { app: files({ layers: [], cmd: "serve" }) } });`,
    at: '"serve"',
    says: ['Option "cmd"', "a list of strings"],
  },
  {
    what: "an unknown word",
    source: `export default define({ images: { app: dockerfile({ engine: "podmn" }) } });`,
    at: '"podmn"',
    says: ['"podmn"', 'did you mean "podman"?'],
  },
  {
    what: "a missing option",
    source: `export default define({ images: { app: files({ cmd: ["/x"] }) } });`,
    at: "files({ cmd",
    says: ['needs the option "layers"'],
  },
  {
    what: "an unknown need",
    source: `export default define({
  images: {
    base: files({ layers: [] }),
    app: files({ layers: [], needs: ["bse"] }),
  },
});`,
    at: '"bse"',
    says: ['needs "bse"', 'did you mean "base"?'],
  },
  {
    what: "an unknown image in a reference",
    source: `export default define({
  images: {
    base: files({ layers: [] }),
    app: dockerfile({ contexts: { base: { image: "bas" } } }),
  },
});`,
    at: '"bas"',
    says: ['"bas"', 'did you mean "base"?'],
  },
  {
    what: "a task where an image must stand",
    source: `export default define({
  tasks: { gen: task({ run: ["true"] }) },
  images: { app: files({ base: { image: "gen" }, layers: [] }) },
});`,
    at: '"gen"',
    says: ['"gen", which is a task'],
  },
  {
    what: "an unknown registry",
    source: `export default define({
  registries: { upstream: registry("ghcr.io/org") },
  images: { app: files({ layers: [], registries: ["upsteam"] }) },
});`,
    at: '"upsteam"',
    says: ['did you mean "upstream"?'],
  },
  {
    what: "an unknown group member",
    source: `export default define({
  images: { app: files({ layers: [] }) },
  groups: { web: ["app", "apq"] },
});`,
    at: '"apq"',
    says: ['Group "web"', 'did you mean "app"?'],
  },
  {
    what: "an unknown top-level key",
    source: `export default define({
  images: {},
  group: {},
});`,
    at: "group",
    says: ['did you mean "groups"?'],
  },
  {
    what: "a name that cannot be one",
    source: `export default define({ images: { "My App": files({ layers: [] }) } });`,
    at: '"My App"',
    says: ["cannot be a name"],
  },
  {
    what: "a name in two tables",
    source: `export default define({
  tasks: { app: task({ run: ["true"] }) },
  images: { app: files({ layers: [] }) },
});`,
    at: "app: task",
    says: ["share one namespace"],
  },
  {
    what: "a cycle",
    source: `export default define({
  images: {
    a: files({ layers: [], needs: ["b"] }),
    b: files({ layers: [], base: { image: "c" } }),
    c: files({ layers: [], needs: ["a"] }),
  },
});`,
    at: '"b"',
    says: ["a → b → c → a"],
  },
  {
    what: "two images with one repository",
    source: `export default define({
  images: {
    a: files({ layers: [] }),
    b: files({ layers: [], repository: "a" }),
  },
});`,
    at: "repository",
    says: ['same repository "a"'],
  },
  {
    what: "a path that leads out",
    source: `export default define({ images: { a: dockerfile({ context: "../other" }) } });`,
    at: '"../other"',
    says: ["outside the folder"],
  },
  {
    what: "a module that throws",
    source: `const table = undefined;
table.images;
export default define({ images: {} });`,
    at: "images",
    says: ["Cannot load it"],
  },
  {
    what: "a syntax error",
    source: `export default define({
  images: {
    a: files({ layers: [] ,
  },
});`,
    at: "",
    says: ["Cannot load it"],
  },
];

for (const { what, source, at, says } of CASES) {
  Deno.test(`loadProject() points at ${what}`, async () => {
    const text = HEAD + source;
    const fault = await faultOf(text);
    assertEquals(fault.exitStatus, 2);
    const { line, column } = fault.place!;
    const rest = text.split("\n")[line - 1]!.slice(column - 1);
    assertStringIncludes(rest.slice(0, Math.max(at.length, 1)), at);
    const rendered = renderFault(fault);
    assertStringIncludes(rendered, `images.js:${line}:${column}: `);
    assertStringIncludes(rendered, "^");
    assertStringIncludes(rendered, "next: ");
    for (const words of says) assertStringIncludes(rendered, words);
  });
}

Deno.test("loadProject() shows several faults at once", async () => {
  const fault = await faultOf(`${HEAD}export default define({
  images: {
    a: files({ layers: [], needs: ["x"] }),
    b: files({ layers: [], needs: ["y"] }),
  },
});`);
  const rendered = renderFault(fault);
  assertStringIncludes(rendered, 'needs "x"');
  assertStringIncludes(rendered, 'needs "y"');
});

Deno.test("loadProject() says of a bad name only that it is one, and of a bad repository what it is", async () => {
  const named = async (name: string, options: string) =>
    renderFault(
      await faultOf(
        `${HEAD}export default define({ images: { "${name}": files({ layers: []${options} }) } });`,
      ),
    );
  const bad = await named("ig-**dir", "");
  assertStringIncludes(bad, '"ig-**dir" cannot be a name');
  assertEquals(bad.includes("repository"), false);
  assertStringIncludes(await named("a", ', repository: "b c"'), 'the repository "b c", which');
  assertStringIncludes(await named("ig-**dir", ', repository: "b c"'), 'the repository "b c"');
  const long = "a".repeat(300);
  assertStringIncludes(await named(long, ""), `the repository "${long}", which`);
});

Deno.test("loadProject() says what to do where there is no images.ts, or no definition in it", async () => {
  const missing = await assertRejects(() => loadProject("/nonexistent/images.ts"), Fault);
  assertStringIncludes(missing.next ?? "", "images init");
  assertStringIncludes(renderFault(await faultOf("export const x = 1;")), "no default export");
  assertStringIncludes(renderFault(await faultOf("export default {};")), "not made by define()");
});

Deno.test("loadProject() points into a helper module that throws", async () => {
  const folder = await Deno.makeTempDir({ prefix: "images-dsl #%41 (ü)'-" });
  try {
    await Deno.writeTextFile(
      `${folder}/helper.js`,
      "export const x = 1;\nthrow new Error('broken helper');\n",
    );
    await Deno.writeTextFile(
      `${folder}/images.js`,
      `${HEAD}import "./helper.js";\nexport default define({ images: {} });`,
    );
    const fault = await assertRejects(() => loadProject(`${folder}/images.js`), Fault);
    assertStringIncludes(fault.place?.file ?? "", "helper.js");
    assertEquals(fault.place?.line, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadProject() points at an await that does not end, after a word about it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "images-dsl-" });
  try {
    const file = `${folder}/images.js`;
    await Deno.writeTextFile(file, "// Waits.\nawait new Promise((go) => globalThis.goOn = go);\n");
    let waited = 0;
    const options = { waiting: () => waited++, patience: 0, limit: 5 };
    const fault = await assertRejects(() => loadProject(file, options), Fault);
    assertEquals([waited, fault.exitStatus, fault.place?.line], [1, 2, 2]);
    assertStringIncludes(renderFault(fault), "2 | await new Promise");
    (globalThis as unknown as { goOn: () => void }).goOn();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadProject() says why images.ts cannot be read", async () => {
  // To root, no file is unreadable but this one.
  const folder = await Deno.makeTempDir({ prefix: "images-dsl-" });
  try {
    const { message, where, exitStatus } = await assertRejects(() => loadProject(folder), Fault);
    assertEquals(message, "Cannot read it: There is a folder where a file should be");
    assertEquals([where, exitStatus], [folder, 2]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
