/**
 * Credential helpers: programs that get a host on their input and print what they know.
 *
 * @see https://github.com/docker/docker-credential-helpers
 */

import { runProcess } from "../process/run.ts";
import { which } from "../process/which.ts";
import type { FileFinding } from "./config_files.ts";

/** How long a helper may take, in milliseconds; one that asks people something waits forever. */
const PATIENCE = 30_000;

/** The user name with which a helper marks a refresh token. */
const IDENTITY_USER = "<token>";

/** What may stand in a helper's name; it becomes part of a program's name. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Asks `docker-credential-NAME` for the first of these hosts that it knows. */
export async function askHelper(
  name: string,
  hosts: readonly string[],
  source: string,
  { env, signal }: {
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly signal?: AbortSignal;
  },
): Promise<FileFinding> {
  const program = `docker-credential-${name}`;
  const path = NAME.test(name) ? which(program, env.PATH) : undefined;
  if (path === undefined) return { why: `${program} is not installed` };
  for (const host of hosts) {
    const answer = await ask(path, host, signal);
    if (answer === undefined) continue;
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
  signal: AbortSignal | undefined,
): Promise<{ user: string; secret: string } | undefined> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), PATIENCE);
  try {
    const { code, stdout } = await runProcess([program, "get"], {
      stdin: new TextEncoder().encode(host),
      capture: true,
      allowFailure: true,
      signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
    });
    if (code !== 0) return undefined;
    const { Username: user, Secret: secret } = JSON.parse(stdout);
    const isWhole = typeof user === "string" && typeof secret === "string" && secret !== "";
    return isWhole ? { user, secret } : undefined;
  } catch (error) {
    // What a helper prints besides may hold secrets, and is not shown.
    if (signal?.aborted) throw error;
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
