import { assertEquals } from "@std/assert";
import {
  type Environment,
  githubDefaultBranch,
  isPullRequest,
  mayMoveTags,
} from "../../lib/registry/publish/ci.ts";

const GITHUB = { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "push", GITHUB_REF_TYPE: "branch" };
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

/** What CI systems say, by their documentation, and whether that is a job for a pull request. */
const JOBS: readonly (readonly [boolean, string, Environment])[] = [
  [false, "nothing", {}],
  [false, "an event's name alone", { GITHUB_EVENT_NAME: "pull_request" }],
  ...["push", "schedule", "workflow_dispatch", "repository_dispatch", "release", "create", "issues"]
    .map((name) => [false, name, { ...GITHUB, GITHUB_EVENT_NAME: name }] as const),
  ...[
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "pull_request_review_comment",
    "pull_request_comment",
    "issue_comment",
    "workflow_run",
    "merge_group",
    "dynamic",
    "an event of next year",
    "",
  ].map((name) => [true, `"${name}"`, { ...GITHUB, GITHUB_EVENT_NAME: name }] as const),
  [true, "no event's name", { GITHUB_ACTIONS: "true", GITHUB_REF: "refs/heads/main" }],
  [true, "a pull request's ref", { ...GITHUB, GITHUB_REF: "refs/pull/7/merge" }],
  [true, "a dispatch on its head", {
    ...GITHUB,
    GITHUB_EVENT_NAME: "workflow_dispatch",
    GITHUB_REF: "refs/pull/7/head",
  }],
  [true, "a head's name", { ...GITHUB, GITHUB_HEAD_REF: "topic" }],
  [true, "a push to a merge queue", {
    ...GITHUB,
    GITHUB_REF: "refs/heads/gh-readonly-queue/main/pr-7-abc",
  }],
  ...["push", "web", "schedule", "api", "trigger", "chat"]
    .map((source) => [false, source, { ...GITLAB, CI_PIPELINE_SOURCE: source }] as const),
  ...["merge_request_event", "external_pull_request_event", "parent_pipeline", "webide", "new"]
    .map((source) => [true, source, { ...GITLAB, CI_PIPELINE_SOURCE: source }] as const),
  [false, "a child of a protected branch", {
    ...GITLAB,
    CI_PIPELINE_SOURCE: "parent_pipeline",
    CI_COMMIT_REF_PROTECTED: "true",
  }],
  [true, "a child of a merge request of a protected branch", {
    ...GITLAB,
    CI_PIPELINE_SOURCE: "parent_pipeline",
    CI_COMMIT_REF_PROTECTED: "true",
    CI_MERGE_REQUEST_REF_PATH: "refs/merge-requests/1/head",
  }],
  [true, "an external pull request", {
    ...GITLAB,
    CI_PIPELINE_SOURCE: "push",
    CI_EXTERNAL_PULL_REQUEST_IID: "5",
  }],
  [false, "a branch with open merge requests", {
    ...GITLAB,
    CI_PIPELINE_SOURCE: "push",
    CI_COMMIT_BRANCH: "topic",
    CI_OPEN_MERGE_REQUESTS: "a/b!1",
  }],
  [true, "neither branch nor tag", { ...GITLAB }],
  [false, "a branch and no source", { ...GITLAB, CI_COMMIT_BRANCH: "topic" }],
  [true, "Jenkins", { CI: "true", CHANGE_ID: "7" }],
  [true, "Buildkite", { CI: "true", BUILDKITE_PULL_REQUEST: "7" }],
  [false, "Buildkite's push", { CI: "true", BUILDKITE_PULL_REQUEST: "false" }],
];

Deno.test("pull requests are known by all that CI systems say", () => {
  for (const [expected, what, env] of JOBS) {
    assertEquals(isPullRequest(env), expected, what);
    if (expected) {
      assertEquals(mayMoveTags({ ...env, GITHUB_REF_NAME: "main" }, "main"), false, what);
    }
  }
});

Deno.test("comments and following runs are judged by what they are about", async () => {
  const path = await Deno.makeTempFile();
  const about = async (name: string, event: unknown) => {
    await Deno.writeTextFile(path, JSON.stringify(event));
    return isPullRequest({ ...GITHUB, GITHUB_EVENT_NAME: name, GITHUB_EVENT_PATH: path });
  };
  const run = (event: unknown, from: string) => ({
    repository: { full_name: "a/b" },
    workflow_run: { event, head_repository: { full_name: from } },
  });
  try {
    assertEquals(await about("issue_comment", { issue: {} }), false);
    assertEquals(await about("issue_comment", { issue: { pull_request: {} } }), true);
    assertEquals(await about("issue_comment", []), true);
    assertEquals(await about("workflow_run", run("push", "a/b")), false);
    assertEquals(await about("workflow_run", run("push", "fork/b")), true);
    assertEquals(await about("workflow_run", run("pull_request", "a/b")), true);
    assertEquals(await about("workflow_run", run("workflow_run", "a/b")), true);
    assertEquals(await about("workflow_run", run(undefined, "a/b")), true);
    assertEquals(await about("workflow_run", null), true);
  } finally {
    await Deno.remove(path);
  }
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
