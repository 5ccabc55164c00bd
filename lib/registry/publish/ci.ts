/** What a CI system says about the job, and what that allows. */

/** The environment, as `Deno.env.toObject()` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Which CI system runs this, if one does. */
export function ciSystem(env: Environment): "github" | "gitlab" | undefined {
  if (env.GITHUB_ACTIONS === "true") return "github";
  return env.GITLAB_CI === "true" ? "gitlab" : undefined;
}

/**
 * Whether what a job builds may come from a pull or merge request, and so is not to be trusted. An
 * event that is not known here, or that the system does not name, counts as one.
 */
export function isPullRequest(env: Environment): boolean {
  switch (ciSystem(env)) {
    case "github":
      return isGithubPullRequest(env);
    case "gitlab":
      return isGitlabMergeRequest(env);
    default:
      return OTHER_PULL_REQUESTS.some((name) => Boolean(env[name]) && env[name] !== "false");
  }
}

/** Variables that other systems set for pull requests only, or set to "false" for all else. */
const OTHER_PULL_REQUESTS: readonly string[] = [
  "APPVEYOR_PULL_REQUEST_NUMBER",
  "BITBUCKET_PR_ID",
  "BUILDKITE_PULL_REQUEST",
  "CHANGE_ID",
  "CIRCLE_PULL_REQUEST",
  "CIRCLE_PR_NUMBER",
  "CIRRUS_PR",
  "CI_COMMIT_PULL_REQUEST",
  "DRONE_PULL_REQUEST",
  "SYSTEM_PULLREQUEST_PULLREQUESTID",
  "TRAVIS_PULL_REQUEST",
];

/**
 * GitHub's events that run on a commit which is the repository's own. A merge group is none of them:
 * its commit is not on a branch yet.
 *
 * @see https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
 */
const GITHUB_OWN_EVENTS: readonly unknown[] = [
  ...["branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment"],
  ...["deployment_status", "discussion", "discussion_comment", "fork", "gollum", "issues", "label"],
  ...["milestone", "page_build", "project", "project_card", "project_column", "public", "push"],
  ...["registry_package", "release", "repository_dispatch", "schedule", "status", "watch"],
  ...["workflow_call", "workflow_dispatch"],
];

function isGithubPullRequest(env: Environment): boolean {
  const { GITHUB_EVENT_NAME: event, GITHUB_REF: ref = "", GITHUB_HEAD_REF: head } = env;
  const isForeign = ref.startsWith("refs/pull/") ||
    ref.startsWith("refs/heads/gh-readonly-queue/") || Boolean(head);
  if (isForeign) return true;
  if (event === "issue_comment") return !isCommentOnIssue(env);
  if (event === "workflow_run") return !isRunOfOwnEvent(env);
  return !GITHUB_OWN_EVENTS.includes(event);
}

/** After comments on a pull request jobs check that out, though they run on the default branch. */
function isCommentOnIssue(env: Environment): boolean {
  const issue = objectIn(githubEvent(env), "issue");
  return issue !== undefined && !("pull_request" in issue);
}

/** The run that a job follows, and may take files from, was of an event of this repository. */
function isRunOfOwnEvent(env: Environment): boolean {
  const event = githubEvent(env);
  const run = objectIn(event, "workflow_run");
  const own = objectIn(event, "repository")?.full_name;
  return GITHUB_OWN_EVENTS.includes(run?.event) && own !== undefined &&
    objectIn(run, "head_repository")?.full_name === own;
}

/**
 * GitLab's pipelines that run on a commit which is the project's own. Child and downstream pipelines
 * do not tell what began them: these, and what is not known here, count where the ref is protected.
 *
 * @see https://docs.gitlab.com/ci/jobs/job_rules/#ci_pipeline_source-predefined-variable
 */
const GITLAB_OWN_SOURCES: readonly string[] = [
  ...["api", "chat", "push", "schedule", "trigger", "web"],
];

/** In front of the names of variables that only pipelines of requests have. */
const GITLAB_REQUESTS = /^CI_(?:MERGE_REQUEST|EXTERNAL_PULL_REQUEST)_/;

function isGitlabMergeRequest(env: Environment): boolean {
  const isNamed = Object.entries(env).some(([name, value]) =>
    Boolean(value) && GITLAB_REQUESTS.test(name)
  );
  if (isNamed) return true;
  const { CI_PIPELINE_SOURCE: source, CI_COMMIT_REF_PROTECTED: isProtected } = env;
  // Pipelines of merge requests have neither.
  if (!source) return !env.CI_COMMIT_BRANCH && !env.CI_COMMIT_TAG;
  return !GITLAB_OWN_SOURCES.includes(source) && isProtected !== "true";
}

/**
 * Says whether this job may move mutable tags: on the default branch, for a tag, or outside CI.
 *
 * @param defaultBranch GitHub's, which is only in the event's file.
 */
export function mayMoveTags(env: Environment, defaultBranch: string | undefined): boolean {
  if (isPullRequest(env)) return false;
  switch (ciSystem(env)) {
    case "github":
      // A scheduled run is for the default branch; its event does not always name it.
      return env.GITHUB_REF_TYPE === "tag" || env.GITHUB_EVENT_NAME === "schedule" ||
        (env.GITHUB_REF_NAME !== undefined && env.GITHUB_REF_NAME === defaultBranch);
    case "gitlab":
      return Boolean(env.CI_COMMIT_TAG) ||
        (Boolean(env.CI_COMMIT_BRANCH) && env.CI_COMMIT_BRANCH === env.CI_DEFAULT_BRANCH);
    default:
      return true;
  }
}

/** GitHub's default branch, from the file that describes the event. */
export function githubDefaultBranch(env: Environment): string | undefined {
  const name = objectIn(githubEvent(env), "repository")?.default_branch;
  return typeof name === "string" ? name : undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** The file that describes the event; undefined where there is none that can be read. */
function githubEvent({ GITHUB_EVENT_PATH: path }: Environment): Fields | undefined {
  if (!path) return undefined;
  try {
    return objectIn({ event: JSON.parse(Deno.readTextFileSync(path)) }, "event");
  } catch {
    return undefined;
  }
}

function objectIn(fields: Fields | undefined, name: string): Fields | undefined {
  const value = fields?.[name];
  return typeof value === "object" && value !== null ? value as Fields : undefined;
}
