/** The images of this repository: its manual, and the three components it was conceived from. */

import { define, registry, task } from "images";
import { dockerfile, files, nix2container, rulesImg } from "images/plugins";

/** This machine's Linux, as Deno and as registries name it. */
const [arch, platform] = Deno.build.arch === "aarch64"
  ? ["aarch64", "linux/arm64"]
  : ["x86_64", "linux/amd64"];

const flywheel = "tests/fixtures/flywheel";

export default define({
  registries: {
    upstream: registry("ghcr.io/your-org", { visibility: "public" }),
    overlay: registry("registry.gitlab.com/your-group", { visibility: "private" }),
  },

  tasks: {
    "handbook-site": task({
      inputs: [
        "lib/report/page/style/ground.css",
        "tasks/handbook/pages/*.md",
        "tasks/handbook/render.ts",
        "tasks/handbook/style.css",
        "tasks/handbook/theme.js",
      ],
      outputs: ["dist/handbook/site/**"],
      run: ["deno", "run", "-A", "tasks/handbook/render.ts", "dist/handbook/site"],
    }),
    "handbook-server": task({
      inputs: ["tasks/handbook/server.ts"],
      outputs: ["dist/handbook/server/**"],
      run: ["deno", "run", "-A", "tasks/handbook/server.ts", arch, "dist/handbook/server"],
    }),
  },

  images: {
    handbook: files({
      needs: ["handbook-site", "handbook-server"],
      platforms: [platform],
      layers: [
        { from: "dist/handbook/server", to: "/bin" },
        { from: "dist/handbook/site", to: "/srv" },
      ],
      entrypoint: ["/bin/esbuild"],
      // Serving ends when standard input does, unless something is watched for ever.
      cmd: ["--servedir=/srv", "--serve=0.0.0.0:8080", "--watch=forever"],
      ports: [8080],
      user: "65532:65532",
      labels: { "org.opencontainers.image.title": "The manual of images" },
      expect: {
        files: [{ path: "/bin/esbuild", executable: true }, "/srv/index.html", "/srv/style.css"],
        maxLayers: 2,
        maxSize: "20MB",
      },
    }),

    "attic-server": nix2container({
      installable: `./${flywheel}#attic-server-image`,
      expect: { files: ["/bin/atticd"], cmd: ["--mode", "monolithic"] },
    }),

    "runner-dashboard": dockerfile({
      context: `${flywheel}/app`,
      expect: { files: ["/app/build/index.js"], entrypoint: ["node", "build/index.js"] },
    }),

    "app": rulesImg({
      target: "//app:image",
      workspace: flywheel,
      expect: { files: ["/app/build/index.js"] },
    }),
  },

  groups: {
    components: ["attic-server", "runner-dashboard", "app"],
  },
});
