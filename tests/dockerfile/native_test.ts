import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { sha256 } from "../../lib/oci/sha256.ts";
import { addCase, makeContext } from "./context.ts";
import { filesOf } from "./files_of.ts";
import { Rig } from "./rig.ts";

/** Builds the whole shared context in a new folder; gives the image ID. */
async function buildCase(name: string, prepare: (rig: Rig) => void = () => {}): Promise<string> {
  await using rig = await Rig.create();
  await makeContext(rig.root);
  addCase(name, rig.root);
  prepare(rig);
  return (await rig.build()).image.imageId;
}

Deno.test("build() gives the same bytes in other folders, with other times, modes and owners", async () => {
  const first = await buildCase("copy-dot");
  const second = await buildCase("copy-dot", (rig) => {
    Deno.utimeSync(`${rig.root}/a.txt`, 1, 1);
    Deno.chmodSync(`${rig.root}/a.txt`, 0o600);
    Deno.chmodSync(`${rig.root}/dir`, 0o700);
    Deno.chmodSync(`${rig.root}/run.sh`, 0o700);
    if (Deno.uid() === 0) Deno.chownSync(`${rig.root}/b.txt`, 1234, 1234);
  });
  assertEquals(second, first);
});

Deno.test("build() gives the bytes it always gave", async () => {
  await using rig = await Rig.create({
    "Dockerfile":
      'FROM scratch\nWORKDIR /app\nCOPY --chown=1:2 src ./src/\nENTRYPOINT ["/app/run"]\n',
    "src/a": "a\n",
    "src/b/c": "c\n",
  });
  const { source } = await rig.build({ labels: { own: "label" }, created: 86400 });
  assertEquals(source.layers.map((layer) => layer.diffId), GOLDEN_LAYERS);
  assertEquals(JSON.parse(new TextDecoder().decode(source.config)), {
    created: "1970-01-02T00:00:00Z",
    architecture: "amd64",
    os: "linux",
    config: {
      Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
      Entrypoint: ["/app/run"],
      WorkingDir: "/app",
      Labels: { own: "label" },
    },
    rootfs: { type: "layers", diff_ids: GOLDEN_LAYERS },
    history: [
      { created: "1970-01-02T00:00:00Z", created_by: "WORKDIR /app" },
      { created: "1970-01-02T00:00:00Z", created_by: "COPY --chown=1:2 src ./src/" },
      {
        created: "1970-01-02T00:00:00Z",
        created_by: 'ENTRYPOINT ["/app/run"]',
        empty_layer: true,
      },
    ],
  });
  assertEquals(sha256(source.config), GOLDEN_CONFIG);
});

const GOLDEN_LAYERS: readonly string[] = [
  "sha256:04ce4230c517eaa4f2b44041f7cefa31d581b02f270f52dbcd19f1c3b04c10d8",
  "sha256:b2d93ed7626312109bd067b9c92a2e41003a8355788fc28872bcb08b54ec848c",
];
const GOLDEN_CONFIG = "sha256:baf673988068c891ed0d03b77af7bae38c08f9adcbccf545ceddfc75f0b683b4";

Deno.test("build() passes a base's layers on, and reads them only where their files matter", async () => {
  await using rig = await Rig.create({
    "base.Dockerfile": "FROM scratch\nCOPY a /srv/a\n",
    "config.Dockerfile": 'FROM base\nENV A=1\nCMD ["x"]\n',
    "files.Dockerfile": "FROM base\nCOPY a /srv/b\nCOPY --chown=1 a /srv/c\n",
    "linked.Dockerfile": "FROM base\nCOPY --link a /srv/b\n",
    "a": "a",
  });
  const { image: base } = await rig.build({ options: { file: "base.Dockerfile" } });
  const build = (file: string) =>
    rig.build({
      options: { file, contexts: { base: { image: "base" } } },
      needs: { base },
    });
  for (const file of ["config.Dockerfile", "linked.Dockerfile"]) {
    const { source } = await build(file);
    assertEquals(source.layers[0]?.descriptor, base.layers[0]?.descriptor);
    assertEquals(rig.opened, 0, file);
  }
  const { image } = await build("files.Dockerfile");
  assertEquals(rig.opened, 1);
  assertEquals(image.layers.length, 3);
  assertEquals(await filesOf(image.layers, { texts: true }), {
    "/srv": "folder 0755 0:0",
    "/srv/a": "file 0644 0:0 a",
    "/srv/b": "file 0644 0:0 a",
    "/srv/c": "file 0644 1:1 a",
  });
  assertEquals(Object.keys(await filesOf(image.layers.slice(1))), ["/srv/b", "/srv/c"]);
  // The listing is kept by diff ID: no other build reads the layer for it.
  await using other = await Rig.create();
  await Deno.remove(other.root, { recursive: true });
  await Deno.rename(rig.root, other.root);
  const opened = rig.opened;
  await other.build({
    options: { file: "files.Dockerfile", contexts: { base: { image: "base" } } },
    needs: { base },
  });
  assertEquals(rig.opened, opened);
});

Deno.test("build() gives an image without files one layer without files", async () => {
  await using rig = await Rig.create({ "Dockerfile": 'FROM scratch\nENV A=1\nCMD ["x"]\n' });
  const { image, config } = await rig.build();
  assertEquals(image.layers.map((layer) => layer.descriptor.size), [1024]);
  assertEquals(await filesOf(image.layers), {});
  assertEquals(config.history?.map((entry) => entry.empty_layer ?? false), [true, false]);
});

Deno.test("build() adds to the tables of a stage, and to none that it is built on", async () => {
  const lines = Array.from({ length: 20_000 }, (_, at) => `LABEL a${at}=${at}\nVOLUME /v${at}\n`);
  await using rig = await Rig.create({
    "Dockerfile": `FROM scratch AS a\nLABEL a=1\nEXPOSE 1\nVOLUME /a\n
FROM a AS b\nLABEL b=2 __proto__=p\nEXPOSE 2\nVOLUME /b\n
FROM a\n${lines.join("")}`,
  });
  const tables = async (target: string) => {
    const { config } = (await rig.build({ options: { target } })).config;
    return [config?.Labels, config?.ExposedPorts, config?.Volumes];
  };
  assertEquals(await tables("b"), [
    JSON.parse('{"__proto__":"p","a":"1","b":"2"}'),
    { "1/tcp": {}, "2/tcp": {} },
    { "/a": {}, "/b": {} },
  ]);
  const [labels, ports, volumes] = await tables("2");
  assertEquals([labels, volumes].map((table) => Object.keys(table ?? {}).length), [20_001, 20_001]);
  assertEquals(ports, { "1/tcp": {} });
  assertEquals(await tables("a"), [{ a: "1" }, { "1/tcp": {} }, { "/a": {} }]);
});

Deno.test("build() expands several names of a global ARG one after the other, of a stage's at once", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "ARG C=x D=$C E=${D}y\nFROM scratch\nARG D E\nARG A=1 B=$A\nENV D=$D E=$E B=$B\n",
  });
  const env = async (args: Record<string, string>) =>
    (await rig.build({ options: { args } })).config.config?.Env?.slice(1);
  assertEquals(await env({}), ["D=x", "E=xy", "B="]);
  assertEquals(await env({ C: "c", E: "e" }), ["D=c", "E=e", "B="]);
});

Deno.test("build() takes a base by its normalised reference", async () => {
  await using rig = await Rig.create({
    "base.Dockerfile": "FROM scratch\nENV FROM_BASE=dir\n",
    "Dockerfile": "FROM node:20\nCOPY $FROM_BASE/x /x\n",
    "dir/x": "x",
  });
  const { image: base } = await rig.build({ options: { file: "base.Dockerfile" } });
  const built = await rig.build({ bases: { "docker.io/library/node:20": base } });
  assertEquals(await filesOf(built.image.layers, { texts: true }), { "/x": "file 0644 0:0 x" });
});

Deno.test("build() writes folders through a base's links, and keeps what they lead to", async () => {
  await using rig = await Rig.create();
  await makeContext(rig.root);
  rig.write({
    "Dockerfile": "FROM scratch\nADD links.tar /\nCOPY tree/ /\n",
    "tree/lib/new": "new",
    "tree/current/sub/x": "x",
  });
  const { image } = await rig.build();
  assertEquals(await filesOf(image.layers, { texts: true }), {
    "/current": "link 10:20 target",
    "/lib": "link 10:20 usr/lib",
    "/target": "folder 0755 10:20",
    "/target/sub": "folder 0755 0:0",
    "/target/sub/x": "file 0644 0:0 x",
    "/usr": "folder 0755 10:20",
    "/usr/lib": "folder 0711 10:20",
    "/usr/lib/new": "file 0644 0:0 new",
  });
});

/** Written down from https://docs.docker.com/reference/dockerfile/#copy---exclude and --parents. */
Deno.test("build() leaves out by --exclude and keeps paths by --parents", async () => {
  const files = async (name: string) => {
    await using rig = await Rig.create();
    await makeContext(rig.root);
    addCase(name, rig.root);
    const { image } = await rig.build();
    return Object.keys(await filesOf(image.layers));
  };
  assertEquals(await files("docker-copy-exclude"), [
    "/out",
    "/out/.dot",
    "/out/one.txt",
    "/txt",
    "/txt/[odd].txt",
    "/txt/a.txt",
    "/txt/star*.txt",
    "/txt/with space.txt",
    "/txt/ünïcode-文.txt",
  ]);
  assertEquals(await files("docker-copy-parents"), [
    "/md",
    "/md/c.md",
    "/md/dir",
    "/md/dir/sub",
    "/md/dir/sub/deep.md",
    "/md/dir/two.md",
    "/out",
    "/out/a.txt",
    "/out/dir",
    "/out/dir/sub",
    "/out/dir/sub/deep.txt",
    "/out/rootfs",
    "/out/rootfs/etc",
    "/out/rootfs/etc/app.conf",
    "/pivot",
    "/pivot/sub",
    "/pivot/sub/deep.txt",
  ]);
});

Deno.test("build() changes modes as chmod does", async () => {
  const modes: readonly (readonly [string, string, string])[] = [
    ["u=rwX,go=rX", "0644", "0755"],
    ["a+x", "0755", "0755"],
    ["go-rwx", "0600", "0700"],
    ["u+s,g=u", "4664", "4775"],
    ["=r", "0444", "0444"],
    ["1777", "1777", "1777"],
  ];
  for (const [chmod, file, folder] of modes) {
    await using rig = await Rig.create({
      "Dockerfile": `FROM scratch\nCOPY --chmod=${chmod} d /d\n`,
      "d/sub/file": "",
    });
    const found = await filesOf((await rig.build()).image.layers, { texts: true });
    assertEquals(found["/d/sub/file"], `file ${file} 0:0 `, chmod);
    assertEquals(found["/d/sub"], `folder ${folder} 0:0`, chmod);
  }
});

Deno.test("build() reads for ONBUILD only what is part of the key", async () => {
  await using rig = await Rig.create({
    "base.Dockerfile": "FROM scratch\nONBUILD COPY package.json /app/\n",
    "app/Dockerfile": "FROM base\n",
    "app/package.json": "{}",
  });
  const { image: base } = await rig.build({ options: { file: "base.Dockerfile" } });
  const options = {
    options: { context: "app", contexts: { base: { image: "base" } } },
    needs: { base },
  };
  const fault = await rig.fault(options);
  assertEquals(fault.place?.line, 1);
  assertMatch(fault.next ?? "", /recipe's inputs/);
  const built = await rig.build({ ...options, inputs: ["app/package.json"] });
  assertEquals(Object.keys(await filesOf(built.image.layers)), ["/app", "/app/package.json"]);
  assertEquals(built.config.config?.OnBuild, undefined);
});

Deno.test("build() begins with a folder where a named context is one", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM rootfs\nCOPY a /a\n",
    "a": "a",
    "os/etc/hosts": "h",
    "os/.dockerignore": ".dockerignore\n",
  });
  const { image, config } = await rig.build({ options: { contexts: { rootfs: "os" } } });
  assertEquals(await filesOf(image.layers, { texts: true }), {
    "/a": "file 0644 0:0 a",
    "/etc": "folder 0755 0:0",
    "/etc/hosts": "file 0644 0:0 h",
  });
  assertEquals(config.history?.length, 2);
});

Deno.test("build() follows links to the context itself, and as many as a pattern matches", async () => {
  await using rig = await Rig.create({
    "Dockerfile": "FROM scratch\nCOPY self/src/there /whole/\nCOPY bin/* /bin/\n",
    ".dockerignore": "Dockerfile\n",
    "src/a": "a\n",
  });
  Deno.symlinkSync(".", `${rig.root}/self`);
  Deno.symlinkSync("..", `${rig.root}/src/there`);
  Deno.mkdirSync(`${rig.root}/bin`);
  const names = Array.from({ length: 60 }, (_, at) => `tool-${at}`);
  Deno.mkdirSync(`${rig.root}/real`);
  for (const name of names) {
    Deno.writeTextFileSync(`${rig.root}/real/${name}`, name);
    Deno.symlinkSync(`../real/${name}`, `${rig.root}/bin/${name}`);
  }
  const files = await filesOf((await rig.build()).image.layers, { texts: true });
  for (const name of names) {
    assertEquals(files[`/bin/${name}`], `file 0644 0:0 ${name}`);
    assertEquals(files[`/whole/real/${name}`], `file 0644 0:0 ${name}`);
  }
  assertEquals(files["/whole/src/a"], "file 0644 0:0 a\n");
});

Deno.test("build() gives notice of a pipe that it leaves out", async () => {
  await using rig = await Rig.create({
    ".dockerignore": "hidden\n",
    "Dockerfile": "FROM scratch\nCOPY d /d\n",
    "d/a": "a",
    "unnamed/": "",
  });
  for (const path of ["d/pipe", "hidden", "unnamed/pipe"]) {
    const { success } = await new Deno.Command("mkfifo", { args: [`${rig.root}/${path}`] })
      .output();
    assert(success);
  }
  const { image } = await rig.build();
  assertEquals(Object.keys(await filesOf(image.layers)), ["/d", "/d/a"]);
  assertEquals(rig.notices, ["d/pipe is a pipe, socket or device, and is left out of the image"]);
});

Deno.test("build() leaves equal images of unequal inputs equal: dependents need not be built", async () => {
  await using rig = await Rig.create({
    "Dockerfile":
      "FROM scratch AS all\nCOPY src /src\nFROM scratch\nCOPY --from=all /src/used /used\n",
    "src/used": "1",
    "src/unused": "1",
  });
  const before = await rig.build();
  rig.write({ "src/unused": "2" });
  const after = await rig.build();
  assertNotEquals(after.treeRoot, before.treeRoot);
  assertEquals(after.image.imageId, before.image.imageId);
});

Deno.test("build() replaces what is there by what an archive holds, and stays inside the image", async () => {
  await using rig = await Rig.create({ "d/file/in": "x", "Dockerfile": "" });
  rig.write({ "Dockerfile": "FROM scratch\nCOPY d /d\nADD evil.tar /d\n" });
  const { writeTar } = await import("../../lib/oci/tar.ts");
  const own = { mode: 0o644, uid: 0, gid: 0, mtime: 0, type: "file" as const };
  const bytes = new Uint8Array(
    await new Response(ReadableStream.from(writeTar([
      { ...own, path: "file", content: new TextEncoder().encode("now a file") },
      { ...own, path: "/in/../inside", content: new TextEncoder().encode("i") },
      { ...own, path: "up", type: "symlink", linkTarget: "/../../.." },
      { ...own, path: "up/through", content: new TextEncoder().encode("t") },
    ]))).arrayBuffer(),
  );
  Deno.writeFileSync(`${rig.root}/evil.tar`, bytes);
  const { image } = await rig.build();
  const files = await filesOf(image.layers, { texts: true });
  assertEquals(files["/d/file"], "file 0644 0:0 now a file");
  assertEquals(files["/d/inside"], "file 0644 0:0 i");
  assertEquals(files["/through"], "file 0644 0:0 t");
  assert(!("/d/file/in" in files));
});
