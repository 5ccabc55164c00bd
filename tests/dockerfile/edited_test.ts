/** What is edited is noticed: a run that remembers comes to what one comes to that knows nothing. */

import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { imageOf, TestProject } from "../support/project.ts";
import { full } from "../support/tools.ts";
import { EditedProject } from "./edited.ts";

/** A project, and edits of it; each must be noticed, or change nothing. */
interface Case {
  readonly files: Readonly<Record<string, string>>;
  readonly recipe?: string;
  readonly begin?: (project: EditedProject) => void;
  readonly edits: readonly ((project: EditedProject) => void)[];
}

const F = "FROM scratch\nCOPY f /f\n";

/** `ctx/sub` becomes a link to a folder, a folder again, and a file. */
const SWAPPED: Case["edits"] = [
  (p) => {
    p.move("ctx/sub", "ctx/other");
    p.link("ctx/sub", "other");
  },
  (p) => p.write("ctx/other/f", "changed"),
  (p) => {
    p.remove("ctx/sub");
    p.move("ctx/other", "ctx/sub");
  },
  (p) => {
    p.remove("ctx/sub");
    p.write("ctx/sub", "a file");
  },
];

const CASES: Readonly<Record<string, Case>> = {
  "a Dockerfile behind a link": {
    files: { "ctx/f": "f", "real/D": F },
    begin: (p) => p.link("ctx/Dockerfile", "../real/D"),
    edits: [
      (p) => p.write("real/D", `${F}LABEL a=b\n`),
      (p) => p.remove("real/D"),
      (p) => p.write("real/D", `${F}LABEL a=c\n`),
    ],
  },
  "a Dockerfile behind a chain of links, one of them a folder, one absolute": {
    files: { "ctx/f": "f", "real/D": F },
    begin: (p) => {
      p.link("absolute", `${p.root}/real`);
      p.link("chain/D", "../absolute/D");
      p.link("ctx/Dockerfile", "../chain/D");
    },
    edits: [
      (p) => p.write("real/D", `${F}LABEL a=b\n`),
      (p) => {
        p.write("else/D", `${F}LABEL a=c\n`);
        p.link("absolute", "else");
      },
      (p) => p.write("else/D", `${F}LABEL a=d\n`),
      (p) => {
        p.write("chain/own", `${F}LABEL a=e\n`);
        p.link("chain/D", "own");
      },
    ],
  },
  "a Dockerfile behind a link out of the project": {
    files: { "ctx/f": "f" },
    begin: (p) => {
      p.write("../outside/D", F);
      p.link("ctx/Dockerfile", "../../outside/D");
    },
    edits: [
      (p) => p.write("../outside/D", `${F}LABEL a=b\n`),
      (p) => {
        p.write("../elsewhere/D", `${F}LABEL a=c\n`);
        p.link("ctx/Dockerfile", `${p.root}/../elsewhere/D`);
      },
      (p) => p.write("../elsewhere/D", `${F}LABEL a=d\n`),
    ],
  },
  "a file in a folder that is a link": {
    files: { "ctx/f": "f", "real/D": F },
    recipe: 'dockerfile({ context: "ctx", file: "files/D" })',
    begin: (p) => p.link("files", "real"),
    edits: [
      (p) => p.write("real/D", `${F}LABEL a=b\n`),
      (p) => {
        p.write("else/D", `${F}LABEL a=c\n`);
        p.link("files", "else");
      },
      (p) => p.write("files/D.dockerignore", "g\n"),
      (p) => p.link("files/D.dockerignore", "../ignore"),
      (p) => p.write("ignore", "f\n"),
    ],
  },
  "a link that means another file from another folder": {
    files: { "ctx/f": "f", "a/b/D": F, "a/D": `${F}LABEL a=b\n`, "a/b/c/x": "" },
    recipe: 'dockerfile({ context: "ctx", file: "e/c/D" })',
    begin: (p) => {
      p.link("a/b/c/D", "../D");
      p.write("e/D", F);
      p.write("e/c/x", "");
      p.link("e/c/D", "../D");
    },
    edits: [
      (p) => {
        p.link("a/d/D", "../D");
        p.remove("e/c");
        p.link("e/c", "../a/d");
      },
      (p) => p.link("e/c", "../a/b/c"),
    ],
  },
  ".dockerignore behind a link": {
    files: { "ctx/f": "f", "ctx/g": "g", "ctx/Dockerfile": "FROM scratch\nCOPY . /\n" },
    begin: (p) => {
      p.write("real/ign", "f\n");
      p.link("ctx/.dockerignore", "../real/ign");
    },
    edits: [
      (p) => p.write("real/ign", "g\n"),
      (p) => p.remove("real/ign"),
      (p) => p.write("real/ign", "f\n"),
      (p) => p.link("ctx/.dockerignore", "../none/ign"),
      (p) => p.write("none/ign", "g\n"),
    ],
  },
  "folders that were on the way, and are links that lead nowhere": {
    files: { "ctx/sub/f": "f", "real/D": "FROM scratch\nCOPY sub/f /f\n" },
    begin: (p) => p.link("ctx/Dockerfile", "../real/D"),
    edits: [
      (p) => {
        p.write("else/D", "FROM scratch\nCOPY else/f /f\n");
        p.write("ctx/else/f", "e");
        p.link("ctx/Dockerfile", "../else/D");
        p.link("real", "real");
        p.link("ctx/sub", "sub");
      },
      (p) => p.link("else", "else"),
    ],
  },
  "ignore files that appear and go": {
    files: { "ctx/f": "f", "ctx/g": "g", "ctx/Dockerfile": "FROM scratch\nCOPY . /\n" },
    edits: [
      (p) => p.write("ctx/.dockerignore", "f\n"),
      (p) => p.write("ctx/Dockerfile.dockerignore", "g\n"),
      (p) => p.remove("ctx/Dockerfile.dockerignore"),
      (p) => p.remove("ctx/.dockerignore"),
    ],
  },
  "a folder that becomes a link, and back": {
    files: { "ctx/sub/f": "f", "ctx/Dockerfile": "FROM scratch\nCOPY sub/f /f\n" },
    edits: [
      ...SWAPPED,
      (p) => {
        p.remove("ctx/sub");
        p.write("ctx/sub/f", "f");
      },
    ],
  },
  "a whole folder that becomes a link, and back": {
    files: { "ctx/sub/f": "f", "ctx/Dockerfile": "FROM scratch\nCOPY sub /s\n" },
    edits: SWAPPED,
  },
  "a folder of a named context that becomes a link": {
    files: {
      "ctx/Dockerfile": "FROM scratch\nCOPY --from=more sub/f /f\nCOPY --from=more whole /w\n",
      "more/sub/f": "f",
      "more/whole/g": "g",
    },
    recipe: 'dockerfile({ context: "ctx", contexts: { more: "more" } })',
    edits: [
      (p) => {
        p.move("more/sub", "more/other");
        p.link("more/sub", "other");
      },
      (p) => {
        p.move("more/whole", "more/all");
        p.link("more/whole", "/all");
      },
      (p) => p.write("more/all/g", "changed"),
      (p) => {
        p.move("more", "moved");
        p.link("more", "moved");
      },
      (p) => p.write("moved/other/f", "changed"),
    ],
  },
  "a context that is a link": {
    files: { "one/f": "f", "one/Dockerfile": F, "two/f": "2", "two/Dockerfile": F },
    begin: (p) => p.link("ctx", "one"),
    edits: [
      (p) => p.link("ctx", "two"),
      (p) => p.write("two/f", "changed"),
      (p) => p.write("two/Dockerfile", `${F}LABEL a=b\n`),
      (p) => p.write("one/f", "changed"),
      (p) => {
        p.remove("ctx");
        p.move("two", "ctx");
      },
      (p) => p.remove("ctx"),
      (p) => p.link("ctx", "one"),
    ],
  },
  "links that patterns match": {
    files: {
      "ctx/conf/a.conf": "a",
      "ctx/real/b": "b",
      "ctx/Dockerfile": "FROM scratch\nCOPY conf/*.conf /c/\n",
    },
    edits: [
      (p) => p.link("ctx/conf/b.conf", "../real/b"),
      (p) => p.write("ctx/real/b", "changed"),
      (p) => p.link("ctx/conf/b.conf", "a.conf"),
      (p) => p.remove("ctx/conf/b.conf"),
    ],
  },
  "folders that patterns match": {
    files: {
      "ctx/a1/f": "a",
      "ctx/real/f": "b",
      "ctx/Dockerfile": "FROM scratch\nCOPY a*/f /c/\n",
    },
    edits: [
      (p) => p.link("ctx/a2", "real"),
      (p) => p.write("ctx/real/f", "changed"),
      (p) => {
        p.remove("ctx/a2");
        p.write("ctx/a2/f", "own");
      },
      (p) => {
        p.remove("ctx/a1");
        p.link("ctx/a1", "real");
      },
      (p) => {
        p.remove("ctx/a2");
        p.link("ctx/a2/f", "../real/f");
      },
    ],
  },
  "a source behind a link whose target changes its kind": {
    files: { "ctx/t": "t", "ctx/Dockerfile": "FROM scratch\nCOPY l /l\n" },
    begin: (p) => p.link("ctx/l", "t"),
    edits: [
      (p) => {
        p.remove("ctx/t");
        p.write("ctx/t/f", "f");
      },
      (p) => {
        p.remove("ctx/t");
        p.link("ctx/t", "u");
      },
      (p) => p.write("ctx/u", "u"),
      (p) => p.write("ctx/u", "changed"),
      (p) => p.remove("ctx/l"),
      (p) => p.link("ctx/l", "u"),
    ],
  },
  "a dangling link that gets a target, in a folder that is not there": {
    files: { "ctx/Dockerfile": "FROM scratch\nCOPY l/f /l\n", "ctx/other/f": "o" },
    begin: (p) => p.link("ctx/l", "a/b"),
    edits: [
      (p) => p.write("ctx/a/b/f", "f"),
      (p) => {
        p.remove("ctx/a");
        p.write("ctx/deep/b/f", "g");
        p.link("ctx/a", "deep");
      },
      (p) => {
        p.remove("ctx/deep/b");
        p.link("ctx/deep/b", "/other");
      },
      (p) => p.write("ctx/other/f", "changed"),
    ],
  },
  "a source behind an absolute link, which means one of the context": {
    files: { "ctx/Dockerfile": "FROM scratch\nCOPY l /l\n", "ctx/etc/own": "o", "etc/own": "x" },
    begin: (p) => p.link("ctx/l", "/etc/own"),
    edits: [
      (p) => p.write("ctx/etc/own", "changed"),
      (p) => p.link("ctx/l", "../../../etc/own"),
      (p) => p.write("ctx/etc/own", "again"),
      (p) => p.link("ctx/l", `${p.root}/ctx/etc/own`),
    ],
  },
  "an archive behind a link": {
    files: { "ctx/Dockerfile": "FROM scratch\nADD a.tar /a/\n", "ctx/t/one": "1" },
    begin: (p) => p.link("ctx/a.tar", "t/one"),
    edits: [
      (p) => p.write("ctx/t/one", "2"),
      (p) => {
        p.remove("ctx/t");
        p.link("ctx/t", "u");
        p.write("ctx/u/one", "3");
      },
      (p) => p.write("ctx/u/one", "4"),
    ],
  },
  "a here-document beside a source": {
    files: {
      "ctx/Dockerfile": "FROM scratch\nCOPY <<x sub/f /to/\nhere\nx\n",
      "ctx/sub/f": "f",
    },
    edits: [
      (p) => p.write("ctx/x", "a file of the mark's name"),
      (p) => {
        p.move("ctx/sub", "ctx/other");
        p.link("ctx/sub", "other");
      },
      (p) => p.write("ctx/Dockerfile", "FROM scratch\nCOPY <<x sub/f /to/\nthere\nx\n"),
    ],
  },
};

for (const [name, { files, recipe, begin, edits }] of Object.entries(CASES)) {
  Deno.test(`an edit is noticed: ${name}`, async () => {
    await using project = await EditedProject.create(files, recipe);
    begin?.(project);
    await project.build();
    for (const [at, edit] of edits.entries()) {
      edit(project);
      const anew = await project.buildAnew();
      const again = await project.build();
      assertEquals(again.result, anew.result, `edit ${at + 1}`);
    }
  });
}

const DOCKERFILE = [
  "FROM scratch",
  "COPY --from=more b/c* /1/",
  "COPY a/b? */c Dockerfile /2/",
  "COPY a /3",
  "ADD c/d/.. /4/",
  "",
].join("\n");

const NAMES = ["a", "b", "c", "d"];
const ANYWHERE = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("/"));
const PLACE = fc.record({
  folder: fc.constantFrom("ctx", "ctx", "more", "outside"),
  below: ANYWHERE,
}).map(({ folder, below }) => `${folder}/${below}`);
const OWN_FILES = fc.constantFrom("ctx/Dockerfile", "ctx/.dockerignore", "ctx", "more");
const TARGET = fc.oneof(
  ANYWHERE,
  ANYWHERE.map((path) => `../${path}`),
  ANYWHERE.map((path) => `/${path}`),
  PLACE.map((path) => `../${path}`),
);
const EDIT = fc.oneof(
  fc.record({ what: fc.constant("write" as const), at: PLACE, text: fc.constantFrom("1", "2") }),
  fc.record({ what: fc.constant("remove" as const), at: PLACE }),
  fc.record({ what: fc.constant("mkdir" as const), at: PLACE }),
  fc.record({ what: fc.constant("move" as const), at: PLACE, to: PLACE }),
  fc.record({ what: fc.constant("link" as const), at: PLACE, to: TARGET }),
  // A folder or file becomes a link to where it is now: what it holds is the same.
  fc.record({ what: fc.constant("put away" as const), at: fc.oneof(PLACE, OWN_FILES), to: PLACE }),
  fc.record({
    what: fc.constant("write" as const),
    at: fc.constantFrom("ctx/.dockerignore", "ctx/Dockerfile.dockerignore"),
    text: fc.constantFrom("b", "**/c", "a/*\n!a/b*", ""),
  }),
  fc.record({
    what: fc.constant("write" as const),
    at: fc.constant("ctx/Dockerfile"),
    text: fc.constantFrom(DOCKERFILE, `${DOCKERFILE}LABEL a=b\n`, "FROM scratch\nCOPY * /\n"),
  }),
);
type Edit = typeof EDIT extends fc.Arbitrary<infer T> ? T : never;

function carryOut(project: EditedProject, edit: Edit): void {
  try {
    if (edit.what === "write") project.write(edit.at, edit.text);
    else if (edit.what === "remove") project.remove(edit.at);
    else if (edit.what === "mkdir") project.mkdir(edit.at);
    else if (edit.what === "move") project.move(edit.at, edit.to);
    else if (edit.what === "link") project.link(edit.at, edit.to);
    else {
      project.move(edit.at, edit.to);
      project.link(edit.at, `${project.root}/${edit.to}`);
    }
  } catch {
    // It cannot be done where something else is there; what was done of it counts.
  }
}

/** A context and another with links to put in their ways, edited as it comes. */
async function eachEdit(
  seed: number,
  isNoticed: (project: EditedProject, edit: () => void) => Promise<void>,
): Promise<void> {
  const paths = ["ctx/a/b1", "ctx/a/c", "ctx/b/c", "ctx/c/d/a", "more/b/c", "outside/a/b"];
  await fc.assert(
    fc.asyncProperty(fc.array(EDIT, { minLength: 2, maxLength: 10 }), async (edits) => {
      await using project = await EditedProject.create({
        "ctx/Dockerfile": DOCKERFILE,
        ...Object.fromEntries(paths.map((path) => [path, path])),
      }, 'dockerfile({ context: "ctx", contexts: { more: "more" } })');
      await project.build();
      for (const edit of edits) await isNoticed(project, () => carryOut(project, edit));
    }),
    { numRuns: full ? 400 : 25, seed },
  );
}

Deno.test("a recipe that gets or loses inputs has the key and the image that it has elsewhere", async () => {
  await using project = await TestProject.resident({
    "d/public": "p",
    "d/secret": "s",
    ".dockerignore": "d/secret\n",
    "Dockerfile": "FROM scratch\nCOPY d/ /d/\n",
  });
  const build = async () => {
    const { key, imageId } = imageOf(await project.json(["build"]), "app");
    return { key, imageId };
  };
  let states = 0;
  const assertAsElsewhere = async () => {
    const built = await build();
    project.env.IMAGES_STATE_DIR = project.beside(`state-${states++}`);
    assertEquals(built, await build());
    delete project.env.IMAGES_STATE_DIR;
  };
  for (const inputs of ["", 'inputs: ["d/secret"]', ""]) {
    project.define(`{ images: { app: dockerfile({ context: ".", ${inputs} }) } }`);
    await assertAsElsewhere();
  }
});

Deno.test("edits of a context are noticed, whatever they are", async () => {
  await eachEdit(11, async (project, edit) => {
    edit();
    const anew = await project.buildAnew();
    const again = await project.build();
    assertEquals(again.result, anew.result);
  });
});

Deno.test("edits of a context that change the image affect it", async () => {
  await eachEdit(12, async (project, edit) => {
    const before = { files: project.files(), ...await project.buildAnew() };
    edit();
    const files = project.files();
    const paths = [...new Set([...before.files.keys(), ...files.keys()])]
      .filter((path) => before.files.get(path) !== files.get(path));
    const { result } = await project.buildAnew();
    if (result !== before.result) assert(await project.isAffectedBy(paths), paths.join(" "));
  });
});
