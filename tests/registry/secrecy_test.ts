import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { Fault } from "../../lib/model/errors.ts";
import { TestProject } from "../support/project.ts";
import { refusal } from "../support/registry/interference.ts";
import { FaultyRegistry } from "../support/registry/server.ts";
import { clientOf, login } from "./rig.ts";

const PASSWORD = "correct-horse-battery-staple";
const BASIC = btoa(`ann:${PASSWORD}`);

/** What must be nowhere. */
const SECRETS = [PASSWORD, BASIC, encodeURIComponent(BASIC), btoa(PASSWORD), "c2lnbmVk"];

function assertNoSecret(text: string, where: string): void {
  for (const secret of SECRETS) assert(!text.includes(secret), `${secret} in ${where}:\n${text}`);
}

/** The text of all files below a folder. */
function textsBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? textsBelow(path) : [new TextDecoder().decode(Deno.readFileSync(path))];
  });
}

Deno.test("a registry that repeats our secrets is not quoted", async () => {
  await using registry = await FaultyRegistry.start({ basic: { user: "ann", password: PASSWORD } });
  using client = clientOf(registry.host, login("ann", PASSWORD));
  const said = `denied: Authorization Basic ${BASIC}, password ${PASSWORD}, see ` +
    `https://storage.example.com/x?signature=c2lnbmVk`;
  assertEquals(await client.probe("team/app", "latest"), undefined);
  registry.interfere("manifest-get", refusal(400, "X", said));
  const refused = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
  assertNoSecret(Deno.inspect(refused), "the fault");
  assertStringIncludes(refused.message, "https://storage.example.com/x?…");
  registry.interfere("manifest-get", refusal(403, "DENIED", said));
  const denied = await assertRejects(() => client.manifest("team/app", "latest"), Fault);
  assertNoSecret(Deno.inspect(denied), "the fault");
});

Deno.test("no secret is printed or kept by a push, whether it works or not", async (t) => {
  await using project = await TestProject.create({ "site/index.html": "<h1>hello</h1>\n" });
  await using registry = await FaultyRegistry.start({ basic: { user: "ann", password: PASSWORD } });
  project.define(`{
    registries: { main: registry("${registry.host}/team") },
    images: { site: files({ layers: [{ from: "site", to: "/srv" }] }) },
  }`);
  Object.assign(project.env, { IMAGES_MAIN_USERNAME: "ann", HOME: project.path(".") });
  const run = async (password: string, code: number) => {
    project.env.IMAGES_MAIN_PASSWORD = password;
    const outcome = await project.images("push", "-v", "--json");
    assertEquals(outcome.code, code, outcome.stderr);
    assertNoSecret(outcome.stdout + outcome.stderr, "the output");
    for (const text of textsBelow(project.path(".images"))) assertNoSecret(text, ".images");
    return outcome;
  };
  await t.step("a password that is wrong", async () => {
    const { stderr } = await run(PASSWORD.slice(1), 1);
    assertStringIncludes(stderr, "does not accept the credentials from IMAGES_MAIN_PASSWORD");
    assert(!stderr.includes(PASSWORD.slice(1)), stderr);
  });
  await t.step("an upload that is refused in our own words", async () => {
    const echo = refusal(400, "X", `you sent Basic ${BASIC}`);
    registry.interfere("upload-begin", echo, echo, echo, echo);
    const { stderr } = await run(PASSWORD, 1);
    assertStringIncludes(stderr, "you sent Basic ***");
  });
  await t.step("a push that works", async () => {
    registry.calm();
    await run(PASSWORD, 0);
    assertEquals(registry.store.blobsOf("team/site").length, 2);
  });
});
