import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { MediaType } from "../../lib/model/oci.ts";
import { sha256 } from "../../lib/oci/sha256.ts";
import { makeCertificates } from "../support/real/certificates.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { startTokenServer } from "../support/tokens.ts";
import { toolTest } from "../support/tools.ts";
import { blobOf, clientOf, largeBlob, lengthOf, login, manifestOf } from "./rig.ts";
import type { RegistryClient } from "../../lib/registry/client.ts";

/** Uploads, mounts, tags and reads back: all that a push and a pull need. */
async function roundTrip(client: RegistryClient): Promise<void> {
  const config = blobOf('{"architecture":"amd64"}');
  const layer = largeBlob(3);
  const manifest = manifestOf(config.descriptor);
  assertEquals(await client.probe("team/app", "latest"), undefined);
  assertEquals(await client.manifest("team/app", "latest"), undefined);
  assertEquals(await client.upload("team/app", config.descriptor, () => config.bytes), "uploaded");
  assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "uploaded");
  assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "present");
  assertEquals(layer.opened, 1);
  const mounted = await client.upload("team/other", layer.descriptor, layer.open, {
    from: ["team/nothing", "team/app"],
  });
  assertEquals([mounted, layer.opened], ["mounted", 1]);
  const streamed = largeBlob(2, 7);
  assertEquals(await client.uploadStream("team/app", streamed.open), {
    digest: streamed.descriptor.digest,
    size: streamed.descriptor.size,
  });
  const digest = await client.putManifest("team/app", "latest", MediaType.manifest, manifest);
  assertEquals(digest, sha256(manifest));
  const descriptor = { mediaType: MediaType.manifest, digest, size: manifest.length };
  assertEquals(await client.probe("team/app", "latest"), descriptor);
  assertEquals(await client.manifest("team/app", digest), { descriptor, bytes: manifest });
  assertEquals(await client.smallBlob("team/app", config.descriptor), config.bytes);
  assertEquals(
    await lengthOf(await client.blob("team/other", layer.descriptor)),
    layer.descriptor.size,
  );
}

toolTest(["docker-registry"], "an open registry on loopback takes and gives images", async () => {
  await using registry = await startLoopbackRegistry();
  using client = clientOf(registry.host);
  await roundTrip(client);
});

toolTest(["docker-registry", "htpasswd"], "a registry gets user and password", async () => {
  await using registry = await startLoopbackRegistry({
    basic: { user: "ann", password: "correct horse" },
  });
  using client = clientOf(registry.host, login("ann", "correct horse"));
  await roundTrip(client);
  using wrong = clientOf(registry.host, login("ann", "wrong horse"));
  const fault = await assertRejects(() => wrong.probe("team/app", "latest"), Fault);
  assertStringIncludes(fault.message, "does not accept the credentials from IMAGES_TEST_PASSWORD");
  assertEquals(fault.where, `${registry.host}/team/app`);
  assert(!JSON.stringify([fault.message, fault.next, fault.stack]).includes("wrong horse"));
  using nobody = clientOf(registry.host);
  const unknown = await assertRejects(() => nobody.probe("team/app", "latest"), Fault);
  assertStringIncludes(unknown.message, "wants credentials");
  assertStringIncludes(unknown.next ?? "", "IMAGES_TEST_USERNAME");
});

toolTest(
  ["docker-registry", "openssl"],
  "a private authority is trusted from certs.d",
  async () => {
    await using certificates = await makeCertificates();
    await using registry = await startLoopbackRegistry({ certificates });
    await using home = await tempFolder("home");
    const folder = `${home.path}/.config/containers/certs.d/${registry.host}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.copyFile(certificates.authority, `${folder}/ca.crt`);
    using client = clientOf(registry.host, { HOME: home.path });
    await roundTrip(client);
    using stranger = clientOf(registry.host);
    const fault = await assertRejects(() => stranger.probe("team/app", "latest"), Fault);
    assertStringIncludes(fault.message, "its certificate is not trusted");
    assertStringIncludes(fault.next ?? "", `/etc/docker/certs.d/${registry.host}/ca.crt`);
  },
);

toolTest(["docker-registry", "openssl"], "a registry gets tokens", async () => {
  await using tokens = await startTokenServer({
    users: { ann: { password: "correct horse" }, bob: { password: "secret staple" } },
    allow: (user) => user === "ann" ? ["pull", "push"] : user === "bob" ? ["pull"] : [],
  });
  await using registry = await startLoopbackRegistry({ tokens });
  using client = clientOf(registry.host, login("ann", "correct horse"));
  await roundTrip(client);
  const scopes = tokens.requests.map(({ scopes }) => scopes);
  assert(
    scopes.some(([first, second]) =>
      first === "repository:team/other:pull,push" && second === "repository:team/app:pull"
    ),
    JSON.stringify(scopes),
  );
  using reader = clientOf(registry.host, login("bob", "secret staple"));
  assert(await reader.probe("team/app", "latest") !== undefined);
  const blob = blobOf("bob's");
  const denied = await assertRejects(
    () => reader.upload("team/app", blob.descriptor, () => blob.bytes),
    Fault,
  );
  assertStringIncludes(denied.message, "the credentials from IMAGES_TEST_PASSWORD do not allow it");
  using wrong = clientOf(registry.host, login("ann", "guess"));
  const fault = await assertRejects(() => wrong.probe("team/app", "latest"), Fault);
  assertStringIncludes(fault.message, "does not accept the credentials from IMAGES_TEST_PASSWORD");
  using nobody = clientOf(registry.host);
  const unknown = await assertRejects(() => nobody.probe("team/app", "latest"), Fault);
  assertStringIncludes(unknown.message, "wants credentials");
});
