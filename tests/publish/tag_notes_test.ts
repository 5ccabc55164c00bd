/** Which commit a mutable tag was moved for is kept with the tag, not with the image. */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { MediaType } from "../../lib/model/oci.ts";
import { noteTagOf } from "../../lib/registry/publish/tag_notes.ts";
import { TestProject } from "../support/project.ts";
import { startLoopbackRegistry } from "../support/real/registry.ts";
import { toolTest } from "../support/tools.ts";
import { declare, Git, manifestOf, outcomes, tagsIn, TOOLS } from "./rig.ts";

const IMAGE = `{ app: files({ layers: [{ from: "app", to: "/" }] }) }`;

/** Commits of a project whose content comes and goes, and pushes of any of them. */
class Story implements AsyncDisposable {
  readonly project: TestProject;
  readonly host: string;
  readonly #git: Git;

  private constructor(project: TestProject, host: string, git: Git) {
    this.project = project;
    this.host = host;
    this.#git = git;
  }

  static async begin(host: string, images = IMAGE): Promise<Story> {
    const project = await TestProject.resident({ ".gitignore": ".images\n" });
    declare(project, { local: host }, images);
    return new Story(project, host, await Git.init(project.root));
  }

  /** Commits a content; answers with the commit. */
  async commit(content: string): Promise<string> {
    await this.#git.run("switch", "-q", "main").catch(() => {});
    this.project.write({ "app/version": content });
    return await this.#git.commit(content);
  }

  /** Runs a command at a commit; answers with the status of `latest`. */
  async at(commit: string, ...args: string[]): Promise<string | undefined> {
    await this.#git.run("switch", "-q", "--detach", commit);
    const document = await this.project.json(args.length === 0 ? ["push", "--all"] : args);
    return outcomes(document).app?.latest;
  }

  /** Digest of what `latest` stands for. */
  async latest(): Promise<string> {
    return (await manifestOf(this.host, "app", "latest")).digest;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.project[Symbol.asyncDispose]();
  }
}

toolTest([...TOOLS, "git"], "a late job of a commit that was reverted", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using story = await Story.begin(registry.host);
  const first = await story.commit("good");
  const bad = await story.commit("bad");
  const revert = await story.commit("good");
  const again = await story.commit("bad");
  await story.at(first);
  const good = await story.latest();

  await t.step("leaves latest, though latest stood for the same image all the time", async () => {
    assertEquals(await story.at(revert), "current");
    assertEquals(await story.at(bad), "skipped");
    assertEquals(await story.latest(), good);
  });
  await t.step("a revert of the revert moves it, and an older job leaves that", async () => {
    assertEquals(await story.at(again), "retagged");
    const moved = await story.latest();
    assertEquals(await story.at(revert), "skipped");
    assertEquals(await story.at(first), "skipped");
    assertEquals(await story.latest(), moved);
  });
  await t.step("the same commit once more writes nothing", async () => {
    const before = registry.requests().length;
    assertEquals(await story.at(again), "current");
    const requests = registry.requests().slice(before);
    assertEquals(requests.filter((each) => !/^(GET|HEAD)/.test(each)), []);
    assertEquals(requests.filter((each) => each.includes("/manifests/")).length, 3);
  });
  await t.step("--force moves it back, and is what counts from then on", async () => {
    assertEquals(await story.at(first, "push", "--all", "--force"), "retagged");
    assertEquals(await story.at(bad), "retagged");
  });
});

toolTest([...TOOLS, "git"], "a run that was killed between note and tag", async () => {
  await using registry = await startLoopbackRegistry();
  await using story = await Story.begin(registry.host);
  const [first, bad, revert, next] = [
    await story.commit("good"),
    await story.commit("bad"),
    await story.commit("good"),
    await story.commit("next"),
  ];
  await story.at(first);
  await story.at(bad);
  await story.at(revert);
  const good = await manifestOf(registry.host, "app", "latest");
  await story.at(next);
  // The note is written and the tag is not.
  await put(registry.host, "latest", good.json);
  assertEquals(await story.latest(), good.digest);
  assertEquals(await story.at(bad), "skipped");
  assertEquals(await story.at(next), "retagged");
});

async function put(host: string, reference: string, manifest: unknown): Promise<void> {
  const address = `http://${host}/v2/app/manifests/${reference}`;
  const response = await fetch(address, {
    method: "PUT",
    headers: { "content-type": MediaType.manifest },
    body: JSON.stringify(manifest),
  });
  await response.body?.cancel();
  assertEquals(response.status, 201);
}

toolTest([...TOOLS, "git"], "a rollback by promote", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using story = await Story.begin(registry.host);
  const [first, second, third, fourth] = [
    await story.commit("1"),
    await story.commit("2"),
    await story.commit("3"),
    await story.commit("4"),
  ];
  await story.at(first, "push", "--all", "--tag", "latest", "--tag", "v1");
  const { digest } = await manifestOf(registry.host, "app", "v1");
  await story.at(third);
  await story.at(third, "promote", "app", "--tag", "latest", "--from", "v1");
  assertEquals(await story.latest(), digest);

  await t.step("is not undone by jobs of the commits it was moved away from", async () => {
    assertEquals(await story.at(third), "skipped");
    const { stderr } = await story.project.images("push", "--all");
    assertStringIncludes(stderr, "it was promoted to another image than this commit's");
    assertEquals(await story.at(second), "skipped");
    assertEquals(await story.latest(), digest);
  });
  await t.step("promoting again is current", async () => {
    const args = ["promote", "app", "--tag", "latest", "--from", "v1"];
    assertEquals(await story.at(third, ...args), "current");
  });
  await t.step("a newer commit goes on", async () => {
    assertEquals(await story.at(fourth), "retagged");
  });
});

toolTest(
  [...TOOLS, "git"],
  "notes of images of several platforms and of several tags",
  async () => {
    await using registry = await startLoopbackRegistry();
    const images = `{ app: files({ layers: [{ from: "app", to: "/" }],
    platforms: ["linux/amd64", "linux/arm64"], tags: ["latest", "of-{branch}"] }) }`;
    await using story = await Story.begin(registry.host, images);
    Object.assign(story.project.env, {
      GITLAB_CI: "true",
      CI_COMMIT_BRANCH: "main",
      CI_DEFAULT_BRANCH: "main",
      CI_REGISTRY: registry.host,
    });
    const first = await story.commit("good");
    const bad = await story.commit("bad");
    const revert = await story.commit("good");
    for (const commit of [first, bad, revert]) await story.at(commit);
    const before = await tagsIn(registry.host, "app");
    assertEquals(before.latest, before["of-main"]);
    const late = await story.project.json(["push", "--all"]);
    assertEquals(outcomes(late)["app@index"]?.latest, "current");
    await story.at(bad);
    assertEquals(await tagsIn(registry.host, "app"), before);
  },
);

toolTest([...TOOLS, "git"], "a note is no image, and an unreadable one says nothing", async (t) => {
  await using registry = await startLoopbackRegistry();
  await using story = await Story.begin(registry.host);
  const first = await story.commit("1");
  const second = await story.commit("2");
  await story.at(first);
  await t.step("promote and refs know nothing of it", async () => {
    for (const command of [["promote", "app", "--tag", "x"], ["refs", "app"]]) {
      const args = [...command, "--from", noteTagOf("latest")];
      const { code, stderr } = await story.project.images(...args);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "There is no ");
    }
  });
  await t.step("of anything else at its tag the image's own commit counts", async () => {
    const { json } = await manifestOf(registry.host, "app", noteTagOf("latest"));
    const annotations = { ...json.annotations, "dev.images.notes": '[{"digest":1}, null, "x"]' };
    await put(registry.host, noteTagOf("latest"), { ...json, annotations });
    assertEquals(await story.at(second), "retagged");
    await put(registry.host, noteTagOf("latest"), { ...json, annotations: {} });
    assertEquals(await story.at(first), "skipped");
  });
});
