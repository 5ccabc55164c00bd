import { assertEquals } from "@std/assert";
import {
  type Environment,
  githubDefaultBranch,
  isPullRequest,
  mayMoveTags,
} from "../../lib/registry/publish/ci.ts";

const GITHUB = { GITHUB_ACTIONS: "true", GITHUB_REF_TYPE: "branch" };
const GITLAB = { GITLAB_CI: "true", CI_DEFAULT_BRANCH: "main" };

Deno.test("mutable tags move on the default branch, for a tag, and outside CI", () => {
  const cases: [boolean, string, Environment][] = [
    [true, "nowhere in particular", {}],
    [true, "GitHub's default branch", { ...GITHUB, GITHUB_REF_NAME: "main" }],
    [false, "another branch", { ...GITHUB, GITHUB_REF_NAME: "topic" }],
    [true, "a tag", { ...GITHUB, GITHUB_REF_TYPE: "tag", GITHUB_REF_NAME: "v1" }],
    [false, "a pull request into it", {
      ...GITHUB,
      GITHUB_EVENT_NAME: "pull_request_target",
      GITHUB_REF_NAME: "main",
    }],
    [true, "GitLab's default branch", { ...GITLAB, CI_COMMIT_BRANCH: "main" }],
    [false, "another branch", { ...GITLAB, CI_COMMIT_BRANCH: "topic" }],
    [false, "no branch", { ...GITLAB }],
    [true, "a tag", { ...GITLAB, CI_COMMIT_TAG: "v1" }],
    [false, "a merge request", { ...GITLAB, CI_MERGE_REQUEST_IID: "7", CI_COMMIT_BRANCH: "main" }],
  ];
  for (const [expected, what, env] of cases) {
    assertEquals(mayMoveTags(env, "main"), expected, what);
  }
  // Scheduled runs are for the default branch only, and their event need not name it.
  const scheduled = { ...GITHUB, GITHUB_EVENT_NAME: "schedule", GITHUB_REF_NAME: "main" };
  assertEquals(mayMoveTags(scheduled, undefined), true);
  assertEquals(mayMoveTags({ ...GITHUB, GITHUB_REF_NAME: "main" }, undefined), false);
});

Deno.test("pull requests are known by CI's own words", () => {
  assertEquals(isPullRequest({}), false);
  assertEquals(isPullRequest({ GITHUB_EVENT_NAME: "pull_request" }), false);
  assertEquals(isPullRequest({ ...GITHUB, GITHUB_EVENT_NAME: "push" }), false);
  assertEquals(isPullRequest({ ...GITHUB, GITHUB_EVENT_NAME: "pull_request" }), true);
  assertEquals(isPullRequest({ ...GITLAB, CI_PIPELINE_SOURCE: "push" }), false);
  assertEquals(isPullRequest({ ...GITLAB, CI_PIPELINE_SOURCE: "merge_request_event" }), true);
});

Deno.test("GitHub's default branch is read from the event's file", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, '{"repository":{"default_branch":"trunk"}}');
    assertEquals(githubDefaultBranch({ GITHUB_EVENT_PATH: path }), "trunk");
    await Deno.writeTextFile(path, "not JSON");
    assertEquals(githubDefaultBranch({ GITHUB_EVENT_PATH: path }), undefined);
    assertEquals(githubDefaultBranch({}), undefined);
  } finally {
    await Deno.remove(path);
  }
});
