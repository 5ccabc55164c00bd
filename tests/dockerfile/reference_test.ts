/**
 * The Dockerfiles of tests/fixtures/dockerfiles give the same files, modes, owners and config as
 * with real tools. README.md says why where they do not.
 */

import { assertEquals } from "@std/assert";
import { containers } from "../support/real/containers.ts";
import { dockerPath, startDocker } from "../support/real/docker.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { full, hasTool, toolTest } from "../support/tools.ts";
import {
  buildah,
  buildHere,
  copiesIn,
  docker,
  NAMES,
  type Outcome,
  type Tool,
} from "./reference.ts";

/** Cases a tool cannot build, or builds otherwise, by what differs: README.md gives the reasons. */
type Differences = Readonly<Record<string, "cannot" | readonly string[]>>;

/** What `ADD --chown` gives another owner since BuildKit 0.23. */
const OF_THE_ARCHIVE = [
  ...["/owned/inner", "/owned/inner/file", "/owned/inner/hard", "/owned/inner/link"],
  ...["/owned/inner/tool", "/owned/unnamed/parent/file"],
];

const BUILDAH: Differences = {
  "add-archive-chown": [...OF_THE_ARCHIVE, "/owned/unnamed", "/owned/unnamed/parent"],
  "base-config": ["Env"],
  "command-forms": "cannot",
  "config-instructions": ["Cmd"],
  "copy-brackets": "cannot",
  "copy-from-stage": "cannot",
  "copy-globs": "cannot",
  "docker-copy-exclude": "cannot",
  "docker-copy-link": "cannot",
  "docker-copy-parents": "cannot",
  "dockerignore-all-but": ["/all/links", "/all/links/real.txt"],
  "env-args-precedence": ["Env"],
  "env-nested": "cannot",
  "env-patterns": "cannot",
  "escape-directive": ["/w\\x", "/wx", "Env", "WorkingDir"],
  "escape-more": "cannot",
  "expose-ranges": ["ExposedPorts"],
  "from-arg-alias": "cannot",
  "heredoc-more": "cannot",
  "heredoc-odd": "cannot",
  "heredoc-run-like": "cannot",
  "heredocs": "cannot",
  "ignore-more": ["/all/rootfs", "/all/rootfs/etc", "/all/rootfs/etc/app.conf"],
  "link-places": [
    ...["/b.txt", "/b.txt/run.sh", "/dir/one.txt", "/dir/one.txt/b.txt", "/l/missing"],
    ...["/l/missing/c.md", "/l/real.txt", "/l/relative"],
  ],
  "lower-case": "cannot",
  "misc-config": ["ExposedPorts"],
  "onbuild-more": ["Env"],
  "shell-then-stage": ["Cmd"],
};

const DOCKER: Differences = {
  "add-archive-chown": OF_THE_ARCHIVE,
  "docker-copy-exclude": "cannot",
  "docker-copy-parents": "cannot",
};

toolTest(
  ["buildah", "runc", "xz", "bzip2"],
  "every Dockerfile becomes what buildah makes of it",
  // buildah starts a dozen processes for each COPY: more than one only where there is time.
  async (t) => {
    await using store = await containers();
    const names = NAMES.filter((name) => full || copiesIn(name) <= 1);
    await compare(t, names, buildah(store.env, store.path), BUILDAH);
  },
);

const engine = dockerPath() === undefined && !hasTool("dockerd") ? ["dockerd"] : [];

toolTest(
  [...engine, "xz", "bzip2"],
  "every Dockerfile becomes what Docker makes of it",
  async (t) => {
    await using daemon = await startDocker();
    await using folder = await tempFolder("reference");
    // What buildah is asked for and agrees on is compared with Docker too where there is time.
    const names = NAMES.filter((name) =>
      DOCKER[name] !== "cannot" && (full || name in BUILDAH || copiesIn(name) > 1)
    );
    await compare(t, names, await docker(daemon.env, folder.path, names), DOCKER);
  },
);

async function compare(
  t: Deno.TestContext,
  names: readonly string[],
  tool: Tool,
  differences: Differences,
): Promise<void> {
  for (const name of names) {
    await t.step({
      name,
      ignore: differences[name] === "cannot",
      fn: async () => {
        const [here, there] = [await buildHere(name), await tool(name)];
        assertEquals(without(here, differences[name]), without(there, differences[name]));
      },
    });
  }
}

function without({ files, config }: Outcome, names: Differences[string] = []): Outcome {
  const keep = (table: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(Object.entries(table).filter(([name]) => !names.includes(name)));
  return { files: keep(files) as Outcome["files"], config: keep(config) };
}
