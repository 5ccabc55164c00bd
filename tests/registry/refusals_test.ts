import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { MediaType } from "../../lib/model/oci.ts";
import { RegistryFault } from "../../lib/registry/faults.ts";
import { type Interference, refusal } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { blobOf, clientOf, lengthOf, login, manifestOf } from "./rig.ts";

/** Another host that answers everything alike. */
function storage(answer: (request: Request) => Response) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  return {
    host: `127.0.0.1:${server.addr.port}`,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

/** A registry's answer that leads to another host. */
function leadTo({ host }: { readonly host: string }): Interference {
  const location = `http://${host}/blob?X-Signature=secret`;
  return { answer: { status: 307, headers: { location } } };
}

/** The same to each of many requests. */
function often(interference: Interference): Interference[] {
  return Array.from({ length: 20 }, () => interference);
}

Deno.test("a HEAD of a blob that says nothing spares no upload", async (t) => {
  for (const status of [400, 401, 403, 405, 501]) {
    await t.step(`${status}`, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      const { descriptor, bytes } = blobOf("hello");
      const headers = status === 401 ? { "www-authenticate": 'Basic realm="x"' } : {};
      registry.interfere("blob-head", { answer: { status, headers } });
      assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
      assertEquals(registry.store.blobsOf("team/app"), [descriptor.digest]);
    });
  }
});

Deno.test("a HEAD of a blob that leads to storage which takes only GET says that it is there", async (t) => {
  for (const status of [400, 403, 405, 501]) {
    await t.step(`${status}`, async () => {
      await using elsewhere = storage(() => new Response(null, { status }));
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      const { descriptor, bytes } = blobOf("hello");
      registry.interfere("blob-head", leadTo(elsewhere));
      assertEquals(await client.upload("team/app", descriptor, () => bytes), "present");
      assertEquals(registry.count("upload-begin"), 0);
    });
  }
  for (
    const [name, answer] of [
      ["404", new Response(null, { status: 404 })],
      ["a page of another length", new Response("<html>log in</html>")],
    ] as const
  ) {
    await t.step(`but not with ${name}`, async () => {
      await using elsewhere = storage(() => answer);
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      const { descriptor, bytes } = blobOf("hello");
      registry.interfere("blob-head", leadTo(elsewhere));
      assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
    });
  }
});

Deno.test("a HEAD of a manifest that is not taken is followed by GET", async (t) => {
  for (const status of [400, 403, 405, 406, 501]) {
    await t.step(`${status}`, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      const { descriptor, bytes } = blobOf("{}");
      await client.upload("team/app", descriptor, () => bytes);
      const manifest = manifestOf(descriptor);
      const digest = await client.putManifest("team/app", "1", MediaType.manifest, manifest);
      registry.interfere("manifest-head", ...often({ answer: { status } }));
      assertEquals((await client.probe("team/app", "1"))?.digest, digest);
      assertEquals(await client.probe("team/app", "2"), undefined);
    });
  }
});

Deno.test("an address of storage that has expired is asked for again", async () => {
  const { descriptor, bytes } = blobOf("hello");
  let asked = 0;
  await using elsewhere = storage(() =>
    ++asked < 3 ? new Response("<Code>AccessDenied</Code>", { status: 403 }) : new Response("hello")
  );
  await using registry = await FaultyRegistry.start();
  using client = clientOf(registry.host);
  registry.interfere("blob-get", ...often(leadTo(elsewhere)));
  assertEquals(await lengthOf(await client.blob("team/app", descriptor)), bytes.length);
  assertEquals(registry.count("blob-get"), 3);
});

Deno.test("what storage refuses says nothing of credentials, nor of the storage's secrets", async () => {
  await using elsewhere = storage(() => new Response(null, { status: 403 }));
  await using registry = await FaultyRegistry.start({ basic: { user: "ann", password: "word" } });
  using client = clientOf(registry.host, login("ann", "word"));
  registry.interfere("blob-get", {}, ...often(leadTo(elsewhere)));
  const { descriptor } = blobOf("hello");
  const fault = await assertRejects(() => client.blob("team/app", descriptor), Fault);
  assertEquals(
    fault.message,
    `Cannot read a blob: ${elsewhere.host}, where the registry sends us, answers status 403`,
  );
  assert(!`${fault.message} ${fault.next}`.match(/credential|secret|IMAGES_TEST/), fault.next);
});

/** Writes a manifest whose config is there. */
async function putManifest(
  registry: FaultyRegistry,
  client: ReturnType<typeof clientOf>,
  tag: string,
  config = "{}",
): Promise<string> {
  const { descriptor, bytes } = blobOf(config);
  registry.store.putBlob("team/app", descriptor.digest, bytes);
  return await client.putManifest("team/app", tag, MediaType.manifest, manifestOf(descriptor));
}

Deno.test("a manifest whose parts are not seen yet is sent again", async (t) => {
  const refusals: Record<string, Interference> = {
    "blob unknown": refusal(400, "MANIFEST_BLOB_UNKNOWN"),
    "digest invalid": refusal(400, "DIGEST_INVALID"),
    "not found": refusal(404, "BLOB_UNKNOWN"),
    "a child unknown": refusal(400, "MANIFEST_UNKNOWN"),
  };
  for (const [name, answer] of Object.entries(refusals)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("manifest-put", answer, answer);
      await putManifest(registry, client, "1");
      assertEquals(registry.count("manifest-put"), 3);
    });
    await t.step(`${name}, for good`, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("manifest-put", ...often(answer));
      const fault = await assertRejects(() => putManifest(registry, client, "1"), RegistryFault);
      assertEquals([registry.count("manifest-put"), fault.facts.lacksPart], [4, true]);
      assert(!fault.next?.includes("--force"), fault.next);
    });
  }
});

/** How registries say that a tag is kept as it is. */
const IMMUTABLE: Record<string, readonly [status: number, body: string]> = {
  "Amazon ECR": [
    400,
    '{"errors":[{"code":"TAG_INVALID","message":"The image tag \'1\' already exists in the \'a\' repository and cannot be overwritten because the tag is immutable."}]}',
  ],
  "Harbor": [
    412,
    '{"errors":[{"code":"PRECONDITION","message":"Failed to process request due to \'a:1\' configured as immutable."}]}',
  ],
  "Quay": [409, '{"errors":[{"code":"TAG_IMMUTABLE","message":"tag is immutable"}]}'],
  "GitLab": [403, '{"errors":[{"code":"DENIED","message":"cannot overwrite protected tag"}]}'],
  "Artifact Registry": [
    400,
    '{"errors":[{"code":"MANIFEST_INVALID","message":"cannot update tag 1. The repository has enabled tag immutability"}]}',
  ],
  "Nexus": [
    400,
    '{"errors":[{"code":"UNKNOWN","message":"Repository does not allow updating assets: docker"}]}',
  ],
  "Artifactory": [
    403,
    '{"errors":[{"code":"DENIED","message":"Not enough permissions to overwrite artifact"}]}',
  ],
  "one that says nothing": [409, ""],
};

Deno.test("a tag that a registry keeps as it is", async (t) => {
  for (const [name, [status, body]] of Object.entries(IMMUTABLE)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start({
        quirks: { immutable: { tags: /^1$/, status, body } },
      });
      using client = clientOf(registry.host);
      const digest = await putManifest(registry, client, "1");
      // The same again is what the tag stands for.
      assertEquals(await putManifest(registry, client, "1"), digest);
      const fault = await assertRejects(
        () => putManifest(registry, client, "1", '{"a":1}'),
        RegistryFault,
      );
      assertEquals(fault.facts.immutable, true);
      assertStringIncludes(fault.message, "The registry does not let the tag 1 be replaced");
      assertEquals(fault.where, `${registry.host}/team/app:1`);
      assertStringIncludes(fault.next ?? "", "except it from the registry's rules");
    });
  }
});

Deno.test("rate limits are understood in words", async (t) => {
  const json = (status: number, body: unknown, headers: Record<string, string> = {}) => ({
    answer: {
      status,
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    },
  });
  const reset = String(Math.ceil(Date.now() / 1_000));
  const answers: Record<string, Interference> = {
    "Docker Hub": refusal(429, "TOOMANYREQUESTS", "You have reached your pull rate limit."),
    "Amazon ECR": json(400, {
      errors: [{ code: "ThrottlingException", message: "Rate exceeded" }],
    }),
    "GitHub's secondary limit": json(403, { message: "You have exceeded a secondary rate limit." }),
    "GitHub's primary limit": json(403, { message: "API rate limit exceeded for user" }),
    "a 403 that says when": json(403, { message: "Forbidden" }, { "retry-after": "0" }),
    "a code under another status": refusal(403, "TOOMANYREQUESTS"),
    "a limit that begins anew": json(429, {}, {
      "ratelimit-remaining": "0",
      "ratelimit-reset": reset,
    }),
    "a plain text": { answer: { status: 429, body: "Retry later" } },
    "a delay in words": json(429, { message: "Slow down; try again in 0 seconds" }),
  };
  for (const [name, answer] of Object.entries(answers)) {
    await t.step(name, async () => {
      await using registry = await FaultyRegistry.start();
      using client = clientOf(registry.host);
      registry.interfere("manifest-get", answer, answer);
      assertEquals(await client.manifest("team/app", "latest"), undefined);
      assertEquals(registry.count("manifest-get"), 3);
    });
  }
  await t.step("and named where they do not end", async () => {
    await using registry = await FaultyRegistry.start();
    using client = clientOf(registry.host, {}, { pacing: { base: 0, cap: 0, throttledCap: 0 } });
    registry.interfere("manifest-get", ...often(answers["GitHub's secondary limit"]!));
    const fault = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "You have exceeded a secondary rate limit.");
    assertStringIncludes(fault.next ?? "", "wait until the registry's rate limit is over");
  });
});

Deno.test("advice fits whose thing it is", async () => {
  await using registry = await FaultyRegistry.start();
  const isStrange = (repository: string) => !repository.startsWith("team/");
  using client = clientOf(registry.host, {}, { isStrange });
  const adviceFor = async (repository: string, answer: Interference) => {
    registry.interfere("blob-get", answer);
    const { descriptor } = blobOf("hello");
    const fault = await assertRejects(() => client.blob(repository, descriptor), Fault);
    return fault.next ?? "";
  };
  const gone = refusal(404, "BLOB_UNKNOWN");
  assertEquals(await adviceFor("team/app", gone), "push the image again with --force");
  assertStringIncludes(await adviceFor("other/app", gone), "choose another tag or digest");
  const nameless = refusal(404, "NAME_UNKNOWN");
  assertStringIncludes(await adviceFor("team/app", nameless), "create the repository");
  assertStringIncludes(await adviceFor("other/app", nameless), "correct the reference");
});
