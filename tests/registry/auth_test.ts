import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import type { Interference } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { startTokenServer, type TokenSettings } from "../support/tokens.ts";
import { toolTest } from "../support/tools.ts";
import { blobOf, clientOf, largeBlob, login } from "./rig.ts";

const ANN = { users: { ann: { password: "correct horse", refresh: "refresh-token-of-ann" } } };

/** A registry whose tokens come from a server of its own. */
async function guarded(settings: Partial<TokenSettings> = {}) {
  const tokens = await startTokenServer({
    ...ANN,
    allow: (user) => user === "ann" ? ["pull", "push"] : [],
    ...settings,
  });
  const registry = await FaultyRegistry.start({ tokens });
  return {
    tokens,
    registry,
    async [Symbol.asyncDispose]() {
      await registry[Symbol.asyncDispose]();
      await tokens[Symbol.asyncDispose]();
    },
  };
}

/** A refusal with these challenges. */
function challenge(header: string): Interference {
  return { answer: { status: 401, headers: { "www-authenticate": header } } };
}

toolTest(["openssl"], "one token serves all requests for a repository", async () => {
  await using rig = await guarded();
  using client = clientOf(rig.registry.host, login("ann", "correct horse"));
  const blobs = Array.from({ length: 8 }, (_, at) => blobOf(`blob ${at}`));
  await Promise.all(
    blobs.map(({ descriptor, bytes }) => client.upload("team/app", descriptor, () => bytes)),
  );
  for (const { descriptor } of blobs) assert(await client.hasBlob("team/app", descriptor.digest));
  const scopes = rig.tokens.requests.map(({ scopes }) => scopes.join(" "));
  assertEquals([...new Set(scopes)].length, scopes.length, scopes.join(", "));
  assert(scopes.includes("repository:team/app:pull,push"));
});

toolTest(["openssl"], "a token that lives a second is fetched again in mid-push", async (t) => {
  await t.step("between two requests", async () => {
    await using rig = await guarded({ life: 1 });
    using client = clientOf(rig.registry.host, login("ann", "correct horse"));
    let pushed = 0;
    while (rig.tokens.requests.filter(({ scopes }) => scopes[0]!.endsWith("push")).length < 2) {
      const { descriptor, bytes } = blobOf(`blob ${pushed++}`);
      assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
    }
    assertEquals(rig.registry.store.blobsOf("team/app").length, pushed);
  });
  await t.step("while one is on its way", async () => {
    await using rig = await guarded();
    using client = clientOf(rig.registry.host, login("ann", "correct horse"));
    const layer = largeBlob(3);
    rig.registry.interfere("upload-patch", { wait: () => rig.tokens.revoke() });
    rig.registry.interfere("upload-put", { wait: () => rig.tokens.revoke() });
    await client.uploadStream("team/app", layer.open);
    assertEquals(rig.registry.store.blobsOf("team/app"), [layer.descriptor.digest]);
    assertEquals([layer.opened, rig.tokens.requests.length], [2, 3]);
  });
});

toolTest(["openssl"], "a token that is refused is fetched again, a few times at most", async () => {
  await using rig = await guarded();
  using client = clientOf(rig.registry.host, login("ann", "correct horse"));
  assertEquals(await client.probe("team/app", "latest"), undefined);
  const before = rig.tokens.requests.length;
  rig.tokens.revoke();
  assertEquals(await client.probe("team/app", "latest"), undefined);
  assertEquals(rig.tokens.requests.length, before + 1);
  const bearer = `Bearer realm="${rig.tokens.realm}",service="x",error="invalid_token"`;
  rig.registry.interfere("manifest-head", ...Array.from({ length: 9 }, () => challenge(bearer)));
  const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
  assertStringIncludes(fault.message, "do not allow it");
  assert(rig.tokens.requests.length <= before + 5);
});

toolTest(["openssl"], "a body that met an early 401 is opened again", async () => {
  await using rig = await guarded();
  using client = clientOf(rig.registry.host, login("ann", "correct horse"));
  const bearer = `Bearer realm="${rig.tokens.realm}",service="x",error="invalid_token"`;
  const layer = largeBlob(4);
  rig.registry.interfere("upload-put", { ...challenge(bearer), early: true });
  assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "uploaded");
  assertEquals(layer.opened, 2);
});

toolTest(["openssl"], "scopes that a challenge names besides are asked for", async () => {
  await using rig = await guarded();
  using client = clientOf(rig.registry.host, login("ann", "correct horse"));
  await client.probe("team/app", "latest");
  const more = `Bearer realm="${rig.tokens.realm}",service="x",error="insufficient_scope",` +
    'scope="repository:team/app:pull repository:team/base:pull"';
  rig.registry.interfere("manifest-head", challenge(more));
  await client.probe("team/app", "latest");
  assertEquals(rig.tokens.requests.at(-1)?.scopes, [
    "repository:team/app:pull",
    "repository:team/base:pull",
  ]);
});

toolTest(
  ["openssl"],
  "a mount asks for both repositories, its own first, and for no more later",
  async () => {
    await using rig = await guarded({
      allow: (_, repository) => repository === "other/base" ? [] : ["pull", "push"],
    });
    using client = clientOf(rig.registry.host, login("ann", "correct horse"));
    const { descriptor, bytes } = blobOf("shared");
    rig.registry.store.putBlob("other/base", descriptor.digest, bytes);
    const from = { from: ["other/base"] };
    assertEquals(await client.upload("team/app", descriptor, () => bytes, from), "uploaded");
    const scopes = rig.tokens.requests.map(({ scopes }) => scopes);
    assert(
      scopes.some((each) =>
        each.join() === "repository:team/app:pull,push,repository:other/base:pull"
      ),
    );
    assertEquals(scopes.at(-1), ["repository:team/app:pull,push"]);
  },
);

toolTest(
  ["openssl"],
  "identity tokens are exchanged, by GET where POST is not known",
  async (t) => {
    for (const status of [undefined, 404, 405, 501]) {
      await t.step(status === undefined ? "POST" : `GET after ${status}`, async () => {
        const post = status === undefined ? {} : { postStatus: status };
        await using rig = await guarded({ ...post, member: "access_token" });
        const auths = { [rig.registry.host]: { identitytoken: "refresh-token-of-ann" } };
        await using file = await configFile({ auths });
        using client = clientOf(rig.registry.host, { REGISTRY_AUTH_FILE: file.path });
        const { descriptor, bytes } = blobOf("hello");
        assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
        const methods = [...new Set(rig.tokens.requests.map(({ method }) => method))];
        assertEquals(methods, status === undefined ? ["POST"] : ["POST", "GET"]);
        assertEquals(rig.tokens.requests.at(-1)?.user, "ann");
      });
    }
  },
);

toolTest(["openssl"], "without credentials a token is asked for anonymously", async () => {
  await using rig = await guarded({ allow: () => ["pull"] });
  using client = clientOf(rig.registry.host);
  assertEquals(await client.probe("team/app", "latest"), undefined);
  assertEquals(rig.tokens.requests.map(({ user }) => user), [undefined]);
  const { descriptor, bytes } = blobOf("hello");
  const fault = await assertRejects(
    () => client.upload("team/app", descriptor, () => bytes),
    Fault,
  );
  assertStringIncludes(fault.message, `${rig.registry.host} wants credentials`);
  assertStringIncludes(fault.next ?? "", "none was found in IMAGES_TEST_USERNAME and _PASSWORD");
});

toolTest(["openssl"], "a token server that fails for a while is asked again", async () => {
  await using rig = await guarded();
  using client = clientOf(rig.registry.host, login("ann", "correct horse"));
  rig.tokens.failNext(503, 500);
  assertEquals(await client.probe("team/app", "latest"), undefined);
  assertEquals(rig.tokens.requests.length, 3);
});

Deno.test("of several challenges one that is understood is taken", async (t) => {
  const basic = { user: "ann", password: "correct horse" };
  const headers = {
    "after one that is not": 'Negotiate, Basic realm="r"',
    "in any case": 'BASIC realm="r", charset="UTF-8"',
    "where Bearer has no realm": 'Bearer service="x", Basic realm="r"',
    "where Bearer's realm is in the clear": 'Bearer realm="http://example.com/t", Basic realm="r"',
  };
  for (const [name, header] of Object.entries(headers)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({ basic, challenge: header });
      using client = clientOf(registry.host, login("ann", "correct horse"));
      assertEquals(await client.probe("team/app", "latest"), undefined);
      assertEquals(registry.log.map(({ status }) => status), [401, 404]);
    });
  }
});

Deno.test("a challenge that is not understood is a fault, and gets nothing", async (t) => {
  const headers = {
    "another scheme": ["Negotiate", "authentication by negotiate"],
    "none": ["", "authentication by nothing"],
    "no realm": ["Bearer service=x", "no URL as its token server"],
    "a broken realm": ['Bearer realm="https://', "no URL as its token server"],
    "in the clear elsewhere": [
      'Bearer realm="http://example.com/t?secret=1"',
      "http://example.com",
    ],
    "another scheme of URL": ['Bearer realm="file:///t"', "as its token server"],
    "with a user of its own": ['Bearer realm="https://u:p@example.com/t"', "https://example.com/t"],
  };
  for (const [name, [header = "", said = ""]] of Object.entries(headers)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({
        basic: { user: "ann", password: "correct horse" },
        challenge: header,
      });
      using client = clientOf(registry.host, login("ann", "correct horse"));
      const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
      assertStringIncludes(fault.message, said);
      assert(!fault.message.includes("secret") && !fault.message.includes("u:p"), fault.message);
      assertEquals(registry.count("manifest-head"), 1);
    });
  }
});

Deno.test("credentials are sent when they are asked for, and not before", async () => {
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host, login("ann", "correct horse"));
  const { descriptor, bytes } = blobOf("hello");
  await client.upload("team/app", descriptor, () => bytes);
  assert(registry.log.every(({ headers }) => headers.authorization === undefined));
});

Deno.test("a registry that answers many at once is asked for what it wants by each", async () => {
  await using registry = await FaultyRegistry.start({
    basic: { user: "ann", password: "correct horse" },
  });
  using client = clientOf(registry.host, login("ann", "correct horse"));
  const probes = Array.from({ length: 10 }, (_, at) => client.probe(`team/app${at}`, "latest"));
  assertEquals(await Promise.all(probes), probes.map(() => undefined));
});

toolTest(
  ["openssl"],
  "a scope that the first challenge names is asked for with ours",
  async (t) => {
    const realName = (user: string | undefined, repository: string) =>
      user === "ann" && repository === "mirror/team/app" ? ["pull", "push"] : [];
    const forms: Record<string, string> = {
      "quoted": 'scope="repository:mirror/team/app:pull"',
      "several in one": 'scope="repository:mirror/team/app:pull repository:other:pull"',
      "several parameters": 'scope="registry:catalog:*",scope="repository:mirror/team/app:pull"',
      "with a comma, and without quotes": "scope=repository:mirror/team/app:pull",
      "among other challenges":
        'scope="repository:mirror/team/app:pull", Negotiate, Basic realm="x"',
    };
    for (const [name, scope] of Object.entries(forms)) {
      await t.step(name, async () => {
        await using tokens = await startTokenServer({ ...ANN, allow: realName });
        await using registry = await FaultyRegistry.start({
          campaign: (kind, { headers: { authorization = "" } }) =>
            kind === "ping" ||
              tokens.allows(authorization.replace("Bearer ", ""), "mirror/team/app", "pull")
              ? undefined
              : challenge(`Bearer realm="${tokens.realm}",service="x",${scope}`),
        });
        using client = clientOf(registry.host, login("ann", "correct horse"));
        assertEquals(await client.probe("team/app", "latest"), undefined);
        assertEquals(await client.manifest("team/app", "other"), undefined);
        const asked = tokens.requests.map(({ scopes }) => scopes);
        assertEquals(asked.length, 1, JSON.stringify(asked));
        assertEquals(asked[0]?.[0], "repository:team/app:pull");
        assert(asked[0]?.includes("repository:mirror/team/app:pull"), JSON.stringify(asked));
      });
    }
  },
);

toolTest(["openssl"], "scopes of a challenge that are not granted are left out", async () => {
  await using tokens = await startTokenServer({
    ...ANN,
    strict: true,
    allow: (_, repository) => repository === "team/app" ? ["pull"] : [],
  });
  await using registry = await FaultyRegistry.start({
    tokens,
    challenge: `Bearer realm="${tokens.realm}",service="x",scope="repository:secret:pull"`,
  });
  using client = clientOf(registry.host, login("ann", "correct horse"));
  assertEquals(await client.probe("team/app", "latest"), undefined);
  assertEquals(tokens.requests.map(({ scopes }) => scopes.length), [2, 1]);
});

toolTest(["openssl"], "who may only read still reads what will be written", async (t) => {
  for (const strict of [false, true]) {
    await t.step(strict ? "asking for more is refused" : "less is granted", async () => {
      await using rig = await guarded({ strict, allow: () => ["pull"] });
      using client = clientOf(rig.registry.host, login("ann", "correct horse"));
      client.willWrite("team/app");
      assertEquals(await client.manifest("team/app", "latest"), undefined);
      assertEquals(await client.manifest("team/app", "other"), undefined);
      const rights = rig.tokens.requests.map(({ scopes }) => scopes[0]?.split(":")[2]);
      assertEquals(rights, strict ? ["pull,push", "pull"] : ["pull,push"]);
    });
  }
});

toolTest(["openssl"], "a refresh token that is good for once is followed by the next", async () => {
  await using rig = await guarded({ rotates: true, life: 1 });
  const auths = { [rig.registry.host]: { identitytoken: "refresh-token-of-ann" } };
  await using file = await configFile({ auths });
  const before = await Deno.readTextFile(file.path);
  using client = clientOf(rig.registry.host, { REGISTRY_AUTH_FILE: file.path });
  const names = Array.from({ length: 6 }, (_, at) => `team/app${at}`);
  const probes = names.map((name) => client.probe(name, "latest"));
  assertEquals(await Promise.all(probes), names.map(() => undefined));
  rig.tokens.revoke();
  assertEquals(await client.probe("team/app0", "latest"), undefined);
  assertEquals(rig.tokens.requests.every(({ user }) => user === "ann"), true);
  assertEquals(await Deno.readTextFile(file.path), before);
});

toolTest(
  ["openssl"],
  "what anybody may read is read although credentials are refused",
  async () => {
    await using rig = await guarded({
      allow: (_, repository) => repository === "public/app" ? ["pull"] : [],
    });
    const notices: string[] = [];
    using client = clientOf(rig.registry.host, login("ann", "expired"), {
      notice: (message) => void notices.push(message),
    });
    const { descriptor, bytes } = blobOf("{}");
    rig.registry.store.putBlob("public/app", descriptor.digest, bytes);
    assertEquals(await client.smallBlob("public/app", descriptor), bytes);
    const told = `${rig.registry.host} refuses the credentials from IMAGES_TEST_PASSWORD; ` +
      "it is read as anybody may";
    assertEquals(notices, [told]);
    for (
      const asking of [
        () => client.probe("team/app", "latest"),
        () => client.upload("public/app", blobOf("x").descriptor, () => blobOf("x").bytes),
      ]
    ) {
      const fault = await assertRejects(asking, Fault);
      assertStringIncludes(
        fault.message,
        "does not accept the credentials from IMAGES_TEST_PASSWORD",
      );
    }
    assertEquals(notices, [told]);
  },
);

toolTest(["openssl"], "a 403 that names another scope is asked again with it", async () => {
  await using tokens = await startTokenServer({ ...ANN, allow: () => ["pull"] });
  const allows = (header = "") =>
    tokens.allows(header.replace("Bearer ", ""), "mirror/team/app", "pull");
  await using registry = await FaultyRegistry.start({
    tokens,
    campaign: (kind, { headers }) =>
      kind !== "manifest-get" || allows(headers.authorization) ? undefined : {
        answer: {
          status: 403,
          headers: {
            "www-authenticate":
              `Bearer realm="${tokens.realm}",service="x",scope="repository:mirror/team/app:pull"`,
          },
        },
      },
  });
  using client = clientOf(registry.host, login("ann", "correct horse"));
  assertEquals(await client.manifest("team/app", "latest"), undefined);
  assertEquals(registry.log.map(({ status }) => status), [401, 403, 404]);
});

toolTest(["openssl"], "a realm keeps its own query as it is", async () => {
  await using rig = await guarded({ query: "?account=a%20b&sign=%2F%2b" });
  using client = clientOf(rig.registry.host, login("ann", "correct horse"));
  assertEquals(await client.probe("team/app", "latest"), undefined);
  assertEquals(rig.tokens.requests.map(({ path }) => path), [
    "/token?account=a%20b&sign=%2F%2b&service=images-test&scope=repository%3Ateam%2Fapp%3Apull",
  ]);
});

Deno.test("a token server answers in many ways", async (t) => {
  const answers: Record<string, () => Response> = {
    "no life": () => Response.json({ token: "t" }),
    "a life in a text": () => Response.json({ token: "t", expires_in: "300" }),
    "a life of nothing": () => Response.json({ token: "t", expires_in: 0 }),
    "a clock that is years behind": () =>
      Response.json({ token: "t", expires_in: 300, issued_at: "1999-01-01T00:00:00Z" }),
    "an empty token and another": () => Response.json({ token: "", access_token: "t" }),
    "null and another": () => Response.json({ token: null, access_token: "t" }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await t.step(name, async () => {
      await using server = tokenServer(answer);
      await using registry = await FaultyRegistry.start({
        basic: { user: "ann", password: "1" },
        challenge: `Bearer realm="${server.realm}",service="x"`,
      });
      using client = clientOf(registry.host, login("ann", "1"));
      // The registry of the rig takes no tokens: what counts is what it is sent.
      await assertRejects(() => client.probe("team/app", "latest"), Fault);
      assert(registry.log.slice(1).every(({ headers }) => headers.authorization === "Bearer t"));
      assert(registry.log.length > 1);
    });
  }
});

Deno.test("tokens are fetched where a GET is redirected to, and credentials stay behind", async () => {
  const asked: [string, string | null][] = [];
  await using other = tokenServer((request) => {
    asked.push(["other", request.headers.get("authorization")]);
    return Response.json({ token: "t" });
  });
  await using first = tokenServer((request) => {
    const { pathname } = new URL(request.url);
    asked.push([pathname, request.headers.get("authorization")]);
    const location = pathname === "/token" ? "/token/" : other.realm;
    return new Response(null, { status: 307, headers: { location } });
  });
  await using registry = await FaultyRegistry.start({
    basic: { user: "ann", password: "1" },
    challenge: `Bearer realm="${first.realm}",service="x"`,
  });
  using client = clientOf(registry.host, login("ann", "1"));
  await assertRejects(() => client.probe("team/app", "latest"), Fault);
  const basic = `Basic ${btoa("ann:1")}`;
  assertEquals(asked.slice(0, 3), [["/token", basic], ["/token/", basic], ["other", null]]);
});

Deno.test("where there is no token server, user and password do", async () => {
  await using nothing = tokenServer(() => new Response(null, { status: 404 }));
  await using registry = await FaultyRegistry.start({
    basic: { user: "ann", password: "1" },
    challenge: `Bearer realm="${nothing.realm}",service="x", Basic realm="y"`,
  });
  using client = clientOf(registry.host, login("ann", "1"));
  assertEquals(await client.probe("team/app", "latest"), undefined);
});

Deno.test("of several Bearer challenges the one that is safe is taken", async () => {
  await using server = tokenServer(() => Response.json({ token: "t" }));
  await using registry = await FaultyRegistry.start({
    basic: { user: "ann", password: "1" },
    challenge: `Bearer realm="http://example.com/t", Bearer realm="${server.realm}"`,
  });
  using client = clientOf(registry.host, login("ann", "1"));
  await assertRejects(() => client.probe("team/app", "latest"), Fault, "do not allow it");
  assertEquals(registry.log.at(-1)?.headers.authorization, "Bearer t");
});

Deno.test("a file that cannot be read is told where its credentials are wanted", async () => {
  await using file = await configFile("not what it should be");
  await using registry = await FaultyRegistry.start({ basic: { user: "ann", password: "1" } });
  using client = clientOf(registry.host, { REGISTRY_AUTH_FILE: file.path });
  const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
  assertEquals(
    fault.message,
    `Cannot read the manifest: ${registry.host} wants credentials, and those in ${file.path} ` +
      "cannot be read: it is not an object",
  );
  assertStringIncludes(fault.next ?? "", "correct that file");
});

/** A server that answers every request for a token alike. */
function tokenServer(answer: (request: Request) => Response) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return {
    realm: `http://localhost:${server.addr.port}/token`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A file of credentials. */
async function configFile(content: unknown) {
  const path = await Deno.makeTempFile({ prefix: "images-auth-", suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(content));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
