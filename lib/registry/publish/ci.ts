/** What a CI system says about the job, and what that allows. */

import { readRegularText } from "../../util/regular_file.ts";

/** The environment, as `Deno.env.toObject()` gives it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Which CI system runs this, if one does. */
export function ciSystem(env: Environment): "github" | "gitlab" | undefined {
  if (env.GITHUB_ACTIONS === "true") return "github";
  return env.GITLAB_CI === "true" ? "gitlab" : undefined;
}

/** A job for a pull request or merge request: what it builds is not to be trusted. */
export function isPullRequest(env: Environment): boolean {
  if (ciSystem(env) === "github") {
    return env.GITHUB_EVENT_NAME === "pull_request" ||
      env.GITHUB_EVENT_NAME === "pull_request_target";
  }
  return ciSystem(env) === "gitlab" &&
    (Boolean(env.CI_MERGE_REQUEST_IID) || env.CI_PIPELINE_SOURCE === "merge_request_event");
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
  if (!env.GITHUB_EVENT_PATH) return undefined;
  try {
    const event = JSON.parse(readRegularText(env.GITHUB_EVENT_PATH));
    const name: unknown = event?.repository?.default_branch;
    return typeof name === "string" ? name : undefined;
  } catch {
    return undefined;
  }
}
