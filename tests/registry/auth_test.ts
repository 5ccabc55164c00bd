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
    for (const getOnly of [false, true]) {
      await t.step(getOnly ? "GET" : "POST", async () => {
        await using rig = await guarded({ getOnly, member: "access_token" });
        const auths = { [rig.registry.host]: { identitytoken: "refresh-token-of-ann" } };
        await using file = await configFile({ auths });
        using client = clientOf(rig.registry.host, { REGISTRY_AUTH_FILE: file.path });
        const { descriptor, bytes } = blobOf("hello");
        assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
        const methods = [...new Set(rig.tokens.requests.map(({ method }) => method))];
        assertEquals(methods, getOnly ? ["POST", "GET"] : ["POST"]);
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

/** A file of credentials. */
async function configFile(content: unknown) {
  const path = await Deno.makeTempFile({ prefix: "images-auth-", suffix: ".json" });
  await Deno.writeTextFile(path, JSON.stringify(content));
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}
