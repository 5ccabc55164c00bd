import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ResultDocument } from "../../lib/model/result.ts";
import type { TestProject } from "../support/project.ts";
import { runTool } from "../support/real/program.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { tempFolder } from "../support/real/temp_folder.ts";
import { startTokenServer } from "../support/tokens.ts";
import { toolTest } from "../support/tools.ts";
import { siteProject, TOOLS } from "./rig.ts";

const PASSWORD = "s3cr3t-p4ssw0rd";

/** A project that pushes to a host with a password. */
async function projectFor(host: string): Promise<TestProject> {
  const project = await siteProject({ local: `${host}/team` });
  Object.assign(project.env, {
    IMAGES_LOCAL_USERNAME: "ann",
    IMAGES_LOCAL_PASSWORD: PASSWORD,
    DOCKER_CONFIG: project.beside("docker"),
    REGISTRY_AUTH_FILE: project.beside("auth.json"),
  });
  await project.statuses("--no-remote");
  return project;
}

/** A push fails with one error that says all this, at any verbosity, and gives nothing away. */
async function assertOneError(
  project: TestProject,
  host: string,
  cause: RegExp,
  remedy: RegExp,
): Promise<void> {
  for (const options of [["-v"], ["-q", "--json"]]) {
    const { code, stdout, stderr } = await project.images("push", "--all", ...options);
    assertEquals(code, 1, stderr);
    assertEquals(
      stderr.match(/^.*next: .*$/gm)?.length,
      1,
      `one error under ${options}\n${stderr}`,
    );
    for (const text of [host, cause, remedy]) assertMatch(stderr, new RegExp(text));
    assertNoSecret(stdout + stderr);
    if (stdout === "") continue;
    const { ok, images } = JSON.parse(stdout) as ResultDocument;
    assertEquals(ok, false);
    assertEquals(images.filter(({ error }) => cause.test(error?.message ?? "")).length, 1);
  }
  const { stdout: kept } = await runTool(["grep", "-r", "-l", "-a", PASSWORD, project.root], {
    allowFailure: true,
  });
  assertEquals(kept, "");
}

function assertNoSecret(text: string): void {
  for (const secret of [PASSWORD, btoa(`ann:${PASSWORD}`), "Bearer ey", "Basic "]) {
    assert(!text.includes(secret), `${secret} is in\n${text}`);
  }
}

toolTest([...TOOLS, "htpasswd"], "a wrong password", async () => {
  const basic = { user: "ann", password: "another" };
  await using registry = await startLoopbackRegistry({ basic });
  await using project = await projectFor(registry.host);
  await assertOneError(
    project,
    registry.host,
    /does not accept the credentials/,
    /correct IMAGES_LOCAL_PASSWORD/,
  );
});

toolTest(["openssl", ...TOOLS], "a token that may only read", async () => {
  await using tokens = await startTokenServer({
    users: { ann: { password: PASSWORD } },
    allow: () => ["pull"],
  });
  await using registry = await startLoopbackRegistry({ tokens });
  await using project = await projectFor(registry.host);
  await assertOneError(project, registry.host, /do not allow it/, /may write to/);
});

Deno.test("a host where nothing listens", async () => {
  await using project = await projectFor("localhost:1");
  await assertOneError(project, "localhost:1", /nothing listens/, /start the registry/);
});

Deno.test("a host that has no name", async () => {
  await using project = await projectFor("registry.invalid");
  await assertOneError(
    project,
    "registry.invalid",
    /its name is not known/,
    /correct the registry's/,
  );
});

toolTest([...TOOLS, "mount"], "a registry whose disk is full", async () => {
  await using folder = await tempFolder("full");
  const data = `${folder.path}/data`;
  await Deno.mkdir(data);
  await runTool(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", data]);
  await using registry = await startLoopbackRegistry({ data });
  await using project = await projectFor(registry.host);
  // What compression cannot make small.
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  for (let at = 0; at < 10; at++) {
    Deno.writeFileSync(
      project.path(`site/${at}.bin`),
      noise.map((b) => b ^ at),
    );
  }
  await assertOneError(project, registry.host, /no space left/, /free space at the registry/);
});
