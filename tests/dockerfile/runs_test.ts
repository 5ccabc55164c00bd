/** What is assembled here is taken, and run, by other tools. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { containers } from "../support/real/containers.ts";
import { freePort, page } from "../support/real/dashboard.ts";
import { runTool, startServer } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { addCase, makeContext } from "./context.ts";
import { filesOf } from "./files_of.ts";
import { openFolder } from "./reference.ts";
import { Rig } from "./rig.ts";

const FLYWHEEL = fromFileUrl(new URL("../fixtures/flywheel/app", import.meta.url));

toolTest(
  ["podman", "runc", "busybox"],
  "the static part of the dashboard becomes an image that serves as a container",
  async () => {
    await using rig = await Rig.create({
      "server/Dockerfile": [
        "FROM scratch",
        "COPY busybox /bin/busybox",
        "COPY --from=assets /srv /srv",
        "WORKDIR /srv",
        'ENTRYPOINT ["/bin/busybox"]',
        "",
      ].join("\n"),
    });
    await runTool(["cp", "-r", FLYWHEEL, `${rig.root}/app`]);
    await runTool(["cp", "-L", "/bin/busybox", `${rig.root}/server/busybox`]);
    const assets = await rig.build({ options: { context: "app", file: "app/Dockerfile.static" } });
    assertEquals(assets.config.config?.Labels, {
      "org.opencontainers.image.title": "Dashboard assets",
    });
    const server = await rig.build({
      options: { context: "server", contexts: { assets: { image: "assets" } } },
      needs: { assets: assets.image },
    });
    await using store = await containers();
    const { stdout } = await runTool(
      ["podman", "load", "-q", "-i", rig.layout(server.image)],
      store,
    );
    const name = stdout.trim().replace(/^Loaded image(\(s\))?: /, "");
    const port = freePort();
    // The first process of a container ends by SIGTERM only if it says so.
    const serve = `trap 'exit 0' TERM; /bin/busybox httpd -p 127.0.0.1:${port} && ` +
      "echo serving && /bin/busybox sleep 600 & wait";
    await using _server = await startServer(
      [
        ...["podman", "run", "--rm", "--network", "host"],
        ...["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", name, "sh", "-c", serve],
      ],
      /serving/,
      store,
    );
    assertEquals(
      await page(port, "style.css"),
      Deno.readTextFileSync(`${FLYWHEEL}/static/style.css`),
    );
  },
);

toolTest(
  ["oci-image-tool"],
  "oci-image-tool finds nothing wrong with what is assembled",
  async () => {
    await using rig = await Rig.create();
    await makeContext(rig.root);
    for (const name of ["copy-dot", "config-instructions", "add-archives"]) {
      addCase(name, rig.root);
      const { image } = await rig.build();
      const layout = rig.layout(image);
      await runTool([
        "oci-image-tool",
        "validate",
        "--type",
        "image",
        "--ref",
        "name=latest",
        layout,
      ]);
    }
  },
);

toolTest(
  ["buildah", "busybox"],
  "a base that another tool made is built on, and files are taken out of it",
  async () => {
    await using store = await containers();
    await using rig = await Rig.create({
      "base/Dockerfile": [
        "FROM scratch",
        "COPY busybox /bin/busybox",
        "COPY . /usr/lib/",
        'RUN ["/bin/busybox", "ln", "-s", "usr/lib", "/lib"]',
        'RUN ["/bin/busybox", "ln", "/usr/lib/kept", "/usr/lib/hard"]',
        'RUN ["/bin/busybox", "rm", "-r", "/lib/removed", "/lib/refilled"]',
        'RUN ["/bin/busybox", "mkdir", "/usr/lib/refilled"]',
        'RUN ["/bin/busybox", "sh", "-c", "chmod 640 /lib/kept; test $(stat -c %a /usr/lib/hard) = 644"]',
        "",
      ].join("\n"),
      "base/kept": "kept",
      "base/removed": "removed",
      "base/refilled/old": "old",
      "Dockerfile": [
        "FROM base",
        "COPY new /lib/refilled/",
        "COPY --from=base /lib/kept /lib/hard /copies/",
        "COPY --from=base /lib/refilled /refilled",
        "",
      ].join("\n"),
      "gone.Dockerfile": "FROM base\nCOPY --from=base /usr/lib/removed /x\n",
      "new": "new",
    });
    await runTool(["cp", "-L", "/bin/busybox", `${rig.root}/base/busybox`]);
    const out = `${store.path}/out`;
    const options = ["--quiet", "--layers", "--format=docker", "-t", "base"];
    await runTool(["buildah", "bud", ...options, `${rig.root}/base`], { env: store.env });
    await runTool(["buildah", "push", "--quiet", "base", `dir:${out}`], { env: store.env });
    const base = openFolder(`${out}/manifest.json`, (hex) => `${out}/${hex}`);
    const build = {
      options: { contexts: { base: { image: "base" } } },
      needs: { base },
    };
    const { image, source } = await rig.build(build);
    const own = image.layers.slice(base.layers.length);
    assertEquals(await filesOf(own, { texts: true }), {
      "/copies": "folder 0755 0:0",
      "/copies/hard": "file 0644 0:0 kept",
      "/copies/kept": "file 0640 0:0 kept",
      "/refilled": "folder 0755 0:0",
      "/usr/lib/refilled/new": "file 0644 0:0 new",
    });
    assertEquals(
      source.layers.slice(0, base.layers.length).map(({ diffId }) => diffId),
      base.config.rootfs.diff_ids,
    );
    const fault = await rig.fault({
      ...build,
      options: { ...build.options, file: "gone.Dockerfile" },
    });
    assertStringIncludes(fault.message, "/usr/lib/removed is not in the image");
  },
);
