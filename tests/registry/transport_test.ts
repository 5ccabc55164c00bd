import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { parseReference } from "../../lib/model/reference.ts";
import { startProxy } from "../support/proxy.ts";
import { makeCertificates } from "../support/real/certificates.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { toolTest } from "../support/tools.ts";
import { blobOf, clientOf, largeBlob, lengthOf, login } from "./rig.ts";

toolTest(["docker-registry", "openssl"], "https goes through a tunnel of HTTPS_PROXY", async () => {
  await using certificates = await makeCertificates("registry.test");
  await using registry = await startLoopbackRegistry({ certificates });
  await using proxy = await startProxy(registry.host);
  await using home = await tempFolder("home");
  const trusted = `${home.path}/.config/containers/certs.d/registry.test`;
  await Deno.mkdir(trusted, { recursive: true });
  await Deno.copyFile(certificates.authority, `${trusted}/ca.crt`);
  using client = clientOf("registry.test", { HOME: home.path, HTTPS_PROXY: proxy.url });
  const layer = largeBlob(3);
  assertEquals(await client.upload("team/app", layer.descriptor, layer.open), "uploaded");
  assertEquals(await lengthOf(await client.blob("team/app", layer.descriptor)), 3 * 1024 * 1024);
  assertEquals([...new Set(proxy.requests)], ["CONNECT registry.test:443"]);
});

Deno.test("plain http goes through HTTP_PROXY where a host is declared insecure", async () => {
  await using registry = await FaultyRegistry.start();
  await using proxy = await startProxy(registry.host);
  const env = { HTTP_PROXY: proxy.url };
  using client = clientOf("registry.test", env, { insecure: true });
  const { descriptor, bytes } = blobOf("hello");
  assertEquals(await client.upload("team/app", descriptor, () => bytes), "uploaded");
  assertEquals(await client.smallBlob("team/app", descriptor), bytes);
  // TLS was tried first.
  assertEquals(proxy.requests.slice(0, 2), [
    "CONNECT registry.test:443",
    `HEAD http://registry.test/v2/team/app/blobs/${descriptor.digest}`,
  ]);
});

Deno.test("this machine is never asked for through a proxy, nor what NO_PROXY names", async () => {
  await using registry = await FaultyRegistry.start();
  await using proxy = await startProxy(registry.host);
  const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url, NO_PROXY: "registry.test" };
  using client = clientOf(registry.host, env);
  assertEquals(await client.probe("team/app", "latest"), undefined);
  using other = clientOf("registry.test", env, { insecure: true, pacing: { tries: 1 } });
  await assertRejects(() => other.probe("team/app", "latest"), Fault);
  assertEquals(proxy.requests, []);
});

Deno.test("nothing goes in the clear to a host that is not declared insecure", async () => {
  await using registry = await FaultyRegistry.start();
  await using proxy = await startProxy(registry.host);
  using client = clientOf("registry.test", { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
  const fault = await assertRejects(() => client.probe("team/app", "latest"), Fault);
  assertStringIncludes(fault.message, "Cannot reach registry.test: it does not speak TLS");
  assertStringIncludes(fault.next ?? "", "insecure: true");
  assertEquals(registry.log, []);
});

toolTest(["docker-registry"], "memory stays flat whatever the size of a blob", async () => {
  await using registry = await startLoopbackRegistry();
  const peak = async (mebibytes: number) => {
    const program = new URL("./large_blob.ts", import.meta.url).pathname;
    const command = [Deno.execPath(), "run", "-A", "-q", program, registry.host, `${mebibytes}`];
    return Number((await runTool(command)).stdout);
  };
  const [small, large] = [await peak(8), await peak(192)];
  // Collecting garbage takes its time; the blob does not fit in between.
  assert(large - small < 150, `${small} MiB for 8 MiB, ${large} MiB for 192 MiB`);
});

Deno.test({
  name: "a registry may be named by its address, IPv6 too",
  ignore: !hasIpv6(),
  async fn() {
    await using registry = await FaultyRegistry.start({
      address: "::1",
      basic: { user: "ann", password: "secret" },
    });
    const { host, repository, tag } = parseReference(`${registry.host}/team/app:1`);
    assertEquals([host, repository, tag], [registry.host, "team/app", "1"]);
    using client = clientOf(host, login("ann", "secret"));
    const layer = largeBlob(1);
    assertEquals(await client.upload(repository, layer.descriptor, layer.open), "uploaded");
    assertEquals(await lengthOf(await client.blob(repository, layer.descriptor)), 1024 * 1024);
  },
});

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
