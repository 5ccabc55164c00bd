/**
 * Credential helpers: programs that get a host on their input and print what they know.
 *
 * @see https://github.com/docker/docker-credential-helpers
 */

import { runProcess } from "../process/run.ts";
import { which } from "../process/which.ts";
import type { FileFinding } from "./config_files.ts";
import { Secrets } from "./secrets.ts";

/** How long a helper may take, in milliseconds; one that asks people something waits forever. */
const PATIENCE = 30_000;

/** The user name with which a helper marks a refresh token. */
const IDENTITY_USER = "<token>";

/** What may stand in a helper's name; it becomes part of a program's name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** What a helper says, by the protocol, where it knows nothing of a host. */
const NOT_FOUND = /credentials not found/i;

/** Circumstances of asking. */
export interface HelperContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** How long a helper may take, in milliseconds. @default 30000 */
  readonly patience?: number;
}

/** What a helper answers: a credential, nothing (undefined), or why neither can be told. */
type Answer = { readonly user: string; readonly secret: string } | { readonly why: string };

/** Asks `docker-credential-NAME` for the first of these hosts that it knows. */
export async function askHelper(
  name: string,
  hosts: readonly string[],
  source: string,
  context: HelperContext,
): Promise<FileFinding> {
  const program = `docker-credential-${name}`;
  const path = NAME.test(name) ? which(program, context.env.PATH) : undefined;
  if (path === undefined) return { why: `${program} is not installed` };
  for (const host of hosts) {
    const answer = await ask(path, host, context);
    if (answer === undefined) continue;
    if ("why" in answer) return { why: `${program} ${answer.why}` };
    const { user, secret } = answer;
    const from = `${source} through ${program}`;
    return {
      credential: user === IDENTITY_USER
        ? { kind: "identity", user, token: secret, source: from }
        : { kind: "password", user, password: secret, source: from },
    };
  }
  return { why: `${program} knows none` };
}

async function ask(
  program: string,
  host: string,
  { signal, patience = PATIENCE }: HelperContext,
): Promise<Answer | undefined> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), patience);
  try {
    const { code, stdout } = await runProcess([program, "get"], {
      stdin: new TextEncoder().encode(host),
      capture: true,
      allowFailure: true,
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    });
    if (code !== 0) return refusal(code, stdout);
    return credentialIn(stdout) ?? { why: "prints no credential" };
  } catch (error) {
    if (signal?.aborted) throw error;
    if (late.signal.aborted) return { why: `has not answered in ${patience / 1000} s` };
    return { why: `cannot be run: ${new Secrets().clean((error as Error).message)}` };
  } finally {
    clearTimeout(timer);
  }
}

/** By the protocol it is on standard output why a helper failed; what else it prints is not shown. */
function refusal(code: number, stdout: string): Answer | undefined {
  if (NOT_FOUND.test(stdout)) return undefined;
  const [first = ""] = stdout.trim().split("\n");
  const said = new Secrets().clean(first);
  return { why: `ends with ${code}${said === "" ? "" : `: ${said}`}` };
}

/** What it prints besides may hold secrets, and is not shown. */
function credentialIn(stdout: string): Answer | undefined {
  try {
    const { Username: user, Secret: secret } = JSON.parse(stdout);
    const isWhole = typeof user === "string" && typeof secret === "string" && secret !== "";
    return isWhole ? { user, secret } : undefined;
  } catch {
    return undefined;
  }
}
