/** Tags that stand for something that is no image keep nobody from pushing there. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { MediaType } from "../../lib/model/oci.ts";
import { TestProject } from "../support/project.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { declare, outcomes } from "./rig.ts";

/** What a registry answers with for a tag until something is written there. */
interface Squatter {
  readonly type: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly status?: number;
}

const SQUATTERS: Readonly<Record<string, Squatter>> = {
  "schema 1": {
    type: "application/vnd.docker.distribution.manifest.v1+prettyjws",
    body: '{"schemaVersion":1,"name":"app","tag":"latest","fsLayers":[],"history":[]}',
  },
  "schema 1 that is no longer served": {
    type: "application/json",
    status: 400,
    body: '{"errors":[{"code":"MANIFEST_INVALID","message":"unsupported schema version"}]}',
  },
  "an artifact without a config": {
    type: MediaType.manifest,
    body: '{"schemaVersion":2,"artifactType":"application/x","blobs":[]}',
  },
  "a chart": {
    type: MediaType.manifest,
    body: JSON.stringify({
      schemaVersion: 2,
      config: {
        mediaType: "application/vnd.cncf.helm.config.v1+json",
        digest: `sha256:${"a".repeat(64)}`,
        size: 3,
      },
      layers: [],
    }),
  },
  "another kind of digest": {
    type: MediaType.manifest,
    body: JSON.stringify({
      schemaVersion: 2,
      config: { mediaType: MediaType.config, digest: `sha512:${"a".repeat(128)}`, size: 3 },
      layers: [],
    }),
  },
  "damaged JSON": { type: MediaType.manifest, body: '{"schemaVersion":2,"conf' },
  "no text at all": { type: MediaType.index, body: new Uint8Array([0xff, 0xfe, 0x00]) },
  "a web page": { type: "text/html", body: "<html>hello</html>" },
  "something huge": { type: MediaType.manifest, body: `"${"x".repeat(5 * 1024 * 1024)}"` },
};

/** A registry in front of another, in which tags that nobody has written stand for no image. */
function squatted(
  host: string,
  isTaken: (tag: string) => boolean,
  { type, body, status }: Squatter,
) {
  const written = new Set<string>();
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const tag = /\/manifests\/([^/]+)$/.exec(pathname)?.[1] ?? "";
    if (request.method === "PUT") written.add(tag);
    else if (isTaken(tag) && !written.has(tag)) {
      const init = { status: status ?? 200, headers: { "content-type": type } };
      return new Response(request.method === "HEAD" ? null : body, init);
    }
    const { method, headers } = request;
    const sent = method === "GET" || method === "HEAD" ? null : await request.arrayBuffer();
    return await fetch(`http://${host}${pathname}${search}`, { method, headers, body: sent });
  });
}

for (const [what, squatter] of Object.entries(SQUATTERS)) {
  Deno.test(`push, --force and promote where tags stand for ${what}`, async (t) => {
    await using registry = await FaultyRegistry.start();
    // Where a registry refuses to answer, nobody knows whether the content is there.
    const taken = squatter.status === undefined
      ? /^(latest|forced|stable|content-)/
      : /^(latest|forced|stable)$/;
    const isTaken = (tag: string) => taken.test(tag);
    await using server = squatted(registry.host, isTaken, squatter);
    await using project = await TestProject.resident({ "app/a.txt": "a\n" });
    const images = '{ app: files({ layers: [{ from: "app", to: "/" }] }) }';
    declare(project, { local: `localhost:${server.addr.port}` }, images);
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await project.images(...args, "--json");
      assertEquals(code, 0, stderr);
      return { tags: outcomes(JSON.parse(stdout)).app, stderr };
    };
    await t.step("the content tag is written, and latest moves with a notice", async () => {
      const { tags, stderr } = await run("push");
      assertEquals(tags, { content: "pushed", latest: "retagged" });
      assertStringIncludes(stderr, "latest moves, though what it stands");
      assertEquals((await run("push")).tags, { content: "current", latest: "current" });
    });
    await t.step("with --force", async () => {
      assertEquals((await run("push", "--force", "--tag", "forced")).tags?.forced, "retagged");
    });
    await t.step("by promote", async () => {
      assertEquals((await run("promote", "app", "--tag", "stable")).tags?.stable, "retagged");
    });
  });
}
