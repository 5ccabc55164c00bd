/** Credentials in environment variables. */

import type { Credential } from "./credentials.ts";

/** User and password from two variables; undefined where one is missing or empty. */
export function environmentCredential(
  env: Readonly<Record<string, string | undefined>>,
  userName: string,
  passwordName: string,
  defaultUser?: string,
): Credential | undefined {
  const user = env[userName] || defaultUser;
  const password = env[passwordName];
  if (!user || !password) return undefined;
  return { kind: "password", user, password, source: passwordName };
}
