/** What is assembled here is taken, and run, by other tools. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { containers } from "../support/real/containers.ts";
import { runTool } from "../support/real/program.ts";
import { toolTest } from "../support/tools.ts";
import { addCase, makeContext } from "./context.ts";
import { Rig } from "./rig.ts";

const FLYWHEEL = fromFileUrl(new URL("../fixtures/flywheel/app", import.meta.url));

toolTest(
  ["buildah", "busybox"],
  "the static part of the dashboard becomes an image whose files a container serves",
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
    const buildah = async (...args: string[]) =>
      (await runTool(["buildah", ...args], { env: store.env })).stdout;
    const container = (await buildah("from", `oci:${rig.layout(server.image)}:latest`)).trim();
    const page = await buildah("run", container, "--", "/bin/busybox", "cat", "style.css");
    assertEquals(page, Deno.readTextFileSync(`${FLYWHEEL}/static/style.css`));
    assertStringIncludes(await buildah("run", container, "--", "/bin/busybox", "pwd"), "/srv");
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
