/** How URLs are asked: TLS, redirects between http and https, slow and broken servers. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { fetchUrl } from "../../lib/sources/http.ts";
import { makeCertificates } from "../support/real/certificates.ts";
import { toolTest } from "../support/tools.ts";
import { WebServer } from "./server.ts";

/** Fetches a URL; gives the text that was written. */
async function textOf(url: string, home = "", signal = new AbortController().signal) {
  const chunks: Uint8Array[] = [];
  const { state } = await fetchUrl(url, {
    name: url,
    write: (chunk) => void chunks.push(chunk.slice()),
    signal,
    env: { HOME: home },
  });
  const text = new TextDecoder().decode(
    new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()),
  );
  return { text, state };
}

async function faultOf(asking: Promise<unknown>): Promise<Fault> {
  return await assertRejects(() => asking, Fault) as Fault;
}

toolTest(["openssl"], "https is checked, and never left for http", async (t) => {
  await using certificates = await makeCertificates();
  await using plain = new WebServer();
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const [cert, key] = await Promise.all(
    [certificates.certificate, certificates.key].map((path) => Deno.readTextFile(path)),
  );
  await using secure = Deno.serve(
    { ...listen, cert: cert!, key: key! },
    (request) =>
      new URL(request.url).pathname === "/down"
        ? Response.redirect(plain.url("/f"), 302)
        : new Response("secure"),
  );
  const host = `127.0.0.1:${(secure.addr as Deno.NetAddr).port}`;
  plain.answer("/up", () => Response.redirect(`https://${host}/f`, 302));
  plain.serve("/f", "plain");
  const home = await Deno.makeTempDir();
  const folder = `${home}/.config/docker/certs.d/${host}`;
  await Deno.mkdir(folder, { recursive: true });

  await t.step("an unknown authority is a fault", async () => {
    const fault = await faultOf(textOf(`https://${host}/f`, home));
    assertEquals(fault.kind, "unavailable");
    assertMatch(fault.message, /certificate/i);
  });
  await Deno.copyFile(certificates.authority, `${folder}/ca.crt`);
  await t.step("a known one is trusted", async () => {
    assertEquals((await textOf(`https://${host}/f`, home)).text, "secure");
  });
  await t.step("http may lead to https", async () => {
    assertEquals((await textOf(plain.url("/up"), home)).text, "secure");
  });
  await t.step("https does not lead to http", async () => {
    plain.take();
    const fault = await faultOf(textOf(`https://${host}/down`, home));
    assertMatch(fault.message, /redirects from https:.* to http:/);
    assertEquals(plain.take(), []);
  });
  await Deno.remove(home, { recursive: true });
});

Deno.test("a redirect carries no credentials, and a temporary failure is tried again", async () => {
  await using server = new WebServer();
  let failures = 2;
  server.answer("/busy", () => {
    failures -= 1;
    return failures >= 0 ? new Response(null, { status: 503 }) : new Response("at last");
  });
  server.answer("/from", () =>
    new Response(null, {
      status: 307,
      headers: { location: server.url("/to").replace("//", "//user:password@") },
    }));
  server.serve("/to", "there");
  assertEquals((await textOf(server.url("/busy"))).text, "at last");
  server.take();
  assertEquals((await textOf(server.url("/from"))).text, "there");
  assertEquals(server.headers.map((each) => each.get("authorization")), [null, null]);
});

Deno.test("a body that ends early is a fault, and an interrupt ends the waiting", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const serving = (async () => {
    const short = await listener.accept();
    await short.read(new Uint8Array(4096));
    await short.write(
      new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this"),
    );
    short.close();
    const silent = await listener.accept();
    await silent.read(new Uint8Array(4096));
    return silent;
  })();
  const url = `http://127.0.0.1:${port}/x`;
  const fault = await faultOf(textOf(url));
  assertMatch(fault.message, /cannot be fetched/);
  const stop = new AbortController();
  const asking = textOf(url, "", stop.signal);
  const rejected = assertRejects(() => asking, Error, "enough");
  const silent = await serving;
  stop.abort(new Error("enough"));
  await rejected;
  silent.close();
  listener.close();
});
