/** ADD of URLs: what is in the key, when it is asked for, and what comes into the image. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { sha256 } from "../../lib/oci/sha256.ts";
import { filesOf } from "../dockerfile/files_of.ts";
import { imageIn } from "../dockerfile_engines/rig.ts";
import { imageOf, TestProject } from "../support/project.ts";
import { WebServer } from "./server.ts";

const APP = "{ images: { app: dockerfile({}) } }";

/** A project whose Dockerfile has these lines after `FROM scratch`. */
async function projectWith(lines: string, body = APP): Promise<TestProject> {
  return await TestProject.resident({ "Dockerfile": `FROM scratch\n${lines}\n` }, body);
}

async function filesIn(project: TestProject): Promise<Record<string, string>> {
  return await filesOf(imageIn(project, "app").layers, { texts: true });
}

Deno.test("ADD of a URL is in the key by its content", async (t) => {
  await using server = new WebServer();
  server.serve("/list.txt", "one", { etag: '"1"' });
  await using project = await projectWith(`ADD ${server.url("/list.txt")} /list.txt`);
  const url = server.url("/list.txt");

  await t.step("is built natively, with mode 0600", async () => {
    assertEquals(await project.statuses("app"), { app: "built" });
    assertEquals(await filesIn(project), { "/list.txt": "file 0600 0:0 one" });
    assertEquals(server.take(), ["GET /list.txt"]);
  });
  await t.step("nothing is asked where the record is there", async () => {
    assertEquals(await project.statuses("app"), { app: "cached" });
    assertEquals(server.take(), []);
  });
  await t.step("plan and --pull ask once, by the ETag", async () => {
    const [planned] = (await project.json(["plan"])).images;
    assertEquals(planned!.verdict, "current");
    assertEquals(server.headers.map((each) => each.get("if-none-match")), ['"1"']);
    server.take();
    assertEquals(await project.statuses("app", "--pull"), { app: "cached" });
    assertEquals(server.take(), ["GET /list.txt"]);
  });
  await t.step("another ETag with the same content rebuilds nothing", async () => {
    server.serve("/list.txt", "one", { etag: '"2"' });
    assertEquals(await project.statuses("app", "--pull"), { app: "cached" });
  });
  await t.step("other content is seen by plan, named by its URL", async () => {
    server.serve("/list.txt", "two", { etag: '"3"' });
    assertEquals(await project.statuses("app"), { app: "cached" });
    const [planned] = (await project.json(["plan"])).images;
    assertEquals(planned!.verdict, "build");
    assertEquals(planned!.reasons.map(({ kind, path }) => [kind, path]), [["base-changed", url]]);
    const why = await project.images("why", "app");
    assertStringIncludes(why.stdout + why.stderr, url);
    assertEquals(await project.statuses("app", "--pull"), { app: "built" });
    assertEquals(await filesIn(project), { "/list.txt": "file 0600 0:0 two" });
  });
  await t.step("the same ETag with other content counts where the server sends it", async () => {
    server.answer("/list.txt", () => new Response("three", { headers: { etag: '"3"' } }));
    assertEquals(await project.statuses("app", "--pull"), { app: "built" });
    assertEquals(await filesIn(project), { "/list.txt": "file 0600 0:0 three" });
  });
  await t.step("it is asked for when the image must be built anyway", async () => {
    server.serve("/list.txt", "four");
    project.write({
      "Dockerfile": `FROM scratch\nADD ${url} /list.txt\nENV CHANGED=1\n`,
    });
    assertEquals(await project.statuses("app"), { app: "built" });
    assertEquals(await filesIn(project), { "/list.txt": "file 0600 0:0 four" });
  });
});

Deno.test("a server that gives only a time is asked by HEAD, and a file that goes back is seen", async () => {
  await using server = new WebServer();
  const serve = (text: string, time: string) =>
    server.serve("/f", text, { "last-modified": time, date: "Wed, 01 Jan 2025 00:00:00 GMT" });
  serve("new", "Tue, 02 Jan 2024 00:00:00 GMT");
  await using project = await projectWith(`ADD ${server.url("/f")} /f`);
  assertEquals(await project.statuses("app"), { app: "built" });
  assertEquals(server.take(), ["GET /f"]);
  assertEquals(await project.statuses("app", "--pull"), { app: "cached" });
  assertEquals(server.take(), ["HEAD /f"]);
  serve("old", "Mon, 01 Jan 2024 00:00:00 GMT");
  assertEquals(await project.statuses("app", "--pull"), { app: "built" });
  // A time as young as the answer may stand for two contents of one second.
  serve("now", "Wed, 01 Jan 2025 00:00:00 GMT");
  assertEquals(await project.statuses("app", "--pull"), { app: "built" });
  serve("wow", "Wed, 01 Jan 2025 00:00:00 GMT");
  assertEquals(await project.statuses("app", "--pull"), { app: "built" });
  assertEquals(await filesIn(project), { "/f": "file 0600 0:0 wow" });
});

Deno.test("--checksum is all that is asked", async (t) => {
  await using server = new WebServer();
  server.serve("/f", "right");
  const sum = sha256("right");
  const line = (checksum: string) => `ADD --checksum=${checksum} ${server.url("/f")} /d/`;
  await using project = await projectWith(line(sum));
  assertEquals(await project.statuses("app"), { app: "built" });
  assertEquals(await filesIn(project), {
    "/d": "folder 0755 0:0",
    "/d/f": "file 0600 0:0 right",
  });
  server.take();
  server.serve("/f", "other");
  await t.step("neither plan nor --pull asks", async () => {
    assertEquals((await project.json(["plan"])).images[0]!.verdict, "current");
    assertEquals(await project.statuses("app", "--pull"), { app: "cached" });
    assertEquals(server.take(), []);
  });
  await t.step("another content is a fault with the line", async () => {
    project.write({ "Dockerfile": `FROM scratch\n\n${line(sha256("else"))}\n` });
    const { code, stderr } = await project.images("build", "app");
    assertEquals(code, 1);
    assertMatch(stderr, /Dockerfile:3.*does not have the checksum/);
    assertMatch(stderr, /correct --checksum/);
  });
  await t.step("a variable may hold it", async () => {
    project.write({
      "Dockerfile": `FROM scratch\nARG SUM=${sha256("other")}\n${line("$SUM")}\n`,
    });
    assertEquals(await project.statuses("app"), { app: "built" });
  });
  await t.step("a word that is no checksum, and one of a local file", async () => {
    project.write({ "Dockerfile": `FROM scratch\n${line("md5:123")}\n` });
    assertMatch((await project.images("build", "app")).stderr, /is no checksum of a file/);
    project.write({ "Dockerfile": `FROM scratch\nADD --checksum=${sum} images.ts /x\n` });
    assertMatch((await project.images("build", "app")).stderr, /needs a URL or a git repository/);
  });
});

Deno.test("ADD of URLs writes what BuildKit writes", async (t) => {
  await using server = new WebServer();
  const archive = await tarOf("in.txt", "inside");
  server.serve("/a.tar", archive);
  server.serve("/dir/plain%20name", "spaced");
  server.serve("/q", "query");
  server.serve("/", "top");
  const packed = await gzip("unpacked by the way");
  server.serve("/gz", packed, { "content-encoding": "gzip" });
  server.answer("/from", () => Response.redirect(server.url("/q"), 302));
  const cases: [string, string, Record<string, string>][] = [
    ["an archive stays packed", `ADD ${server.url("/a.tar")} /`, {
      "/a.tar": `file 0600 0:0 ${archive.length}`,
    }],
    ["--unpack", `ADD --unpack=true ${server.url("/a.tar")} /to/`, {
      "/to": "folder 0755 0:0",
      "/to/in.txt": "file 0644 0:0 inside",
    }],
    ["a name with an escape", `ADD ${server.url("/dir/plain%20name")} /`, {
      "/plain name": "file 0600 0:0 spaced",
    }],
    ["query and fragment", `ADD ${server.url("/q?x=1&y=2#part")} /to/`, {
      "/to": "folder 0755 0:0",
      "/to/q": "file 0600 0:0 query",
    }],
    ["no name", `ADD ${server.url("/")} /to/`, {
      "/to": "folder 0755 0:0",
      "/to/__unnamed__": "file 0600 0:0 top",
    }],
    ["a content encoding", `ADD ${server.url("/gz")} /gz`, {
      "/gz": "file 0600 0:0 unpacked by the way",
    }],
    ["a redirect keeps the name", `ADD ${server.url("/from")} /`, {
      "/from": "file 0600 0:0 query",
    }],
    ["flags", `ADD --chown=5:6 --chmod=755 --link ${server.url("/q")} /q`, {
      "/q": "file 0755 5:6 query",
    }],
    [
      "two, one of them twice",
      `ADD ${server.url("/q")} ${server.url("/from")} /d/
ADD ${server.url("/q")} /again`,
      {
        "/d": "folder 0755 0:0",
        "/d/q": "file 0600 0:0 query",
        "/d/from": "file 0600 0:0 query",
        "/again": "file 0600 0:0 query",
      },
    ],
    ["beside a file of the context", `ADD ${server.url("/q")} local.txt /d/`, {
      "/d": "folder 0755 0:0",
      "/d/q": "file 0600 0:0 query",
      "/d/local.txt": "file 0644 0:0 here",
    }],
    ["a variable", `ARG NAME=q\nENV HOST=${server.host}\nADD http://$HOST/\${NAME} /v`, {
      "/v": "file 0600 0:0 query",
    }],
  ];
  for (const [name, lines, files] of cases) {
    await t.step(name, async () => {
      await using project = await projectWith(lines);
      project.write({ "local.txt": "here" });
      assertEquals(await project.statuses("app"), { app: "built" });
      const found = await filesIn(project);
      if (name === "an archive stays packed") {
        assertMatch(found["/a.tar"]!, /^file 0600 0:0 /);
      } else assertEquals(found, files);
    });
  }
  await t.step("two URLs and one name", async () => {
    await using project = await projectWith(`ADD ${server.url("/q")} ${server.url("/")} /one`);
    const { stderr } = await project.images("build", "app");
    assertMatch(stderr, /Several files cannot be copied to one name/);
  });
});

Deno.test("a source that cannot be had is one clear fault", async (t) => {
  await using server = new WebServer();
  server.answer("/403", () => new Response(null, { status: 403 }));
  server.answer("/loop", () => Response.redirect(server.url("/loop"), 302));
  server.answer(
    "/ftp",
    () => new Response(null, { status: 301, headers: { location: "ftp://x/" } }),
  );
  server.answer("/coded", () => new Response("x", { headers: { "content-encoding": "zz" } }));
  let closed: string;
  {
    await using gone = new WebServer();
    closed = gone.url("/x");
  }
  const cases: [string, string, number, RegExp][] = [
    ["404", server.url("/404"), 1, /There is nothing at .*status 404/],
    ["403", server.url("/403"), 1, /answers with status 403[^]*needs no credentials/],
    ["too many redirects", server.url("/loop"), 1, /redirects more than 10 times/],
    ["another scheme", server.url("/ftp"), 1, /redirects from .* to ftp:/],
    ["an unknown encoding", server.url("/coded"), 1, /content encoding "zz"/],
    ["nothing listens", closed, 3, /cannot be fetched: nothing listens/],
    ["a password", server.url("/x").replace("//", "//me:secret@"), 1, /user's name or password/],
    ["a variable without a value", "http://$NOWHERE/x", 1, /names no host/],
  ];
  for (const [name, url, status, message] of cases) {
    await t.step(name, async () => {
      await using project = await projectWith(`ADD ${url} /x`);
      const { code, stderr } = await project.images("build", "app");
      assertMatch(stderr, message);
      assertEquals(code, status);
      assert(!stderr.includes("No engine"), stderr);
    });
  }
});

Deno.test("a URL may only hang on what is known before the build", async () => {
  await using project = await TestProject.resident(
    {
      "base.Dockerfile": "FROM scratch\nENV PLACE=here\n",
      "Dockerfile": "FROM base\nADD http://127.0.0.1:1/$PLACE /x\n",
    },
    `{ images: { base: dockerfile({ file: "base.Dockerfile" }),
    app: dockerfile({ contexts: { base: { image: "base" } } }) } }`,
  );
  const { stderr } = await project.images("build", "app");
  assertMatch(stderr, /Dockerfile:2[^]*neither ARG nor ENV sets[^]*part of the key/);
});

Deno.test("values of hostEnv in a URL are told nowhere", async () => {
  await using server = new WebServer();
  server.serve("/k3y-value/f", "content");
  await using project = await TestProject.create({
    "Dockerfile": `FROM scratch\nARG TOKEN\nADD ${server.url("/$TOKEN/f")} /f\n`,
  }, '{ images: { app: dockerfile({ hostEnv: ["TOKEN"] }) } }');
  project.env["TOKEN"] = "k3y-value";
  assertEquals(await project.statuses("app"), { app: "built" });
  server.take();
  assertEquals(await project.statuses("app"), { app: "cached" });
  assertEquals(server.take(), []);
  server.serve("/k3y-value/f", "else");
  const plan = await project.images("plan", "--json");
  assertMatch(plan.stdout, /base-changed/);
  assertEquals(await project.statuses("app", "--pull"), { app: "built" });
  const everything = await new Deno.Command("grep", {
    args: ["-rlF", "k3y-value", project.path(".images")],
  }).output();
  assertEquals(new TextDecoder().decode(everything.stdout), "");
  assert(!`${plan.stdout}${plan.stderr}`.includes("k3y-value"));
});

Deno.test("images.lock pins URLs", async (t) => {
  await using server = new WebServer();
  const url = server.url("/f");
  server.serve("/f", "one", { etag: '"1"' });
  await using project = await projectWith(`ADD ${url} /f`);
  const lock = () => JSON.parse(Deno.readTextFileSync(project.path("images.lock")));

  await t.step("pin writes digest and validators", async () => {
    assertEquals((await project.images("pin")).code, 0);
    assertEquals(lock(), {
      schema: 1,
      bases: {},
      sources: { [url]: { identity: sha256("one"), size: 3, etag: '"1"' } },
    });
  });
  await t.step("a pinned URL is built as it was, and plan says that it has moved", async () => {
    assertEquals(await project.statuses("app"), { app: "built" });
    server.serve("/f", "two", { etag: '"2"' });
    assertEquals(await project.statuses("app", "--pull"), { app: "cached" });
    const plan = await project.images("plan");
    assertMatch(plan.stdout, /has moved since it was pinned/);
    assertStringIncludes(plan.stdout, url);
    const { drift } = JSON.parse((await project.images("plan", "--json")).stdout);
    assertEquals(drift, [{
      source: url,
      pinned: sha256("one"),
      now: sha256("two"),
      images: ["app"],
    }]);
  });
  await t.step("pin --update takes the new one", async () => {
    const { stdout } = await project.images("pin", "--update", "--json");
    assertEquals(JSON.parse(stdout).changes, [{
      source: url,
      from: sha256("one"),
      to: sha256("two"),
    }]);
    const { images } = await project.json(["build"]);
    assertEquals(images[0]!.reasons.map(({ kind, path }) => [kind, path]), [["base-changed", url]]);
  });
  await t.step("a clone is keyed without asking; content that is gone is a fault", async () => {
    await using clone = await projectWith(`ADD ${url} /f`);
    clone.write({ "images.lock": Deno.readTextFileSync(project.path("images.lock")) });
    server.take();
    const key = (await project.json(["build"])).images[0]!.key;
    assertEquals(server.take(), []);
    server.serve("/f", "three");
    const { code, stderr } = await clone.images("build", "app");
    assertEquals(code, 1);
    assertMatch(stderr, /no longer has the digest[^]*pin --update/);
    server.serve("/f", "two");
    assertEquals((await clone.json(["build", "app"])).images[0]!.key, key);
  });
  await t.step("what is named no more is let go", async () => {
    project.write({ "Dockerfile": "FROM scratch\nCOPY images.ts /\n" });
    assertEquals((await project.images("pin")).code, 0);
    assertEquals(lock(), { schema: 1, bases: {} });
  });
});

Deno.test("without its server a build goes on with what was fetched", async () => {
  await using project = await projectWith("");
  {
    await using server = new WebServer();
    server.serve("/f", "one", { etag: '"1"' });
    project.write({ "Dockerfile": `FROM scratch\nADD ${server.url("/f")} /f\n` });
    assertEquals((await project.images("pin")).code, 0);
    assertEquals(await project.statuses("app"), { app: "built" });
  }
  assertEquals(await project.statuses("app"), { app: "cached" });
  const plan = await project.images("plan");
  assertEquals(plan.code, 0);
  assertMatch(plan.stderr, /Whether .* has moved is not known/);
  project.write({ "Dockerfile": Deno.readTextFileSync(project.path("Dockerfile")) + "ENV A=1\n" });
  assertEquals(await project.statuses("app"), { app: "built" });
  await Deno.remove(project.path("images.lock"));
  const unpinned = await project.json(["plan"]);
  assertEquals(imageOf(unpinned, "app").verdict, "current");
});

async function gzip(text: string): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function tarOf(name: string, text: string): Promise<Uint8Array> {
  const { writeTar } = await import("../../lib/oci/tar.ts");
  const content = new TextEncoder().encode(text);
  const entry = { path: name, type: "file", mode: 0o644, uid: 0, gid: 0, mtime: 0 } as const;
  const chunks = await Array.fromAsync(
    writeTar([{ ...entry, size: content.length, content }]),
  );
  return new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer());
}
