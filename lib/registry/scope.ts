/**
 * What a token allows.
 *
 * @see https://distribution.github.io/distribution/spec/auth/scope/
 */

/** Reading a repository. */
export function pullScope(repository: string): string {
  return `repository:${repository}:pull`;
}

/** Reading and writing a repository. */
export function pushScope(repository: string): string {
  return `repository:${repository}:pull,push`;
}

/** Says whether scopes that were granted include those that are wanted. */
export function includes(granted: readonly string[], wanted: readonly string[]): boolean {
  return wanted.every((scope) => {
    const { resource, actions } = split(scope);
    return granted.some((each) => {
      const other = split(each);
      return other.resource === resource &&
        actions.every((action) => other.actions.includes(action));
    });
  });
}

/** The scopes with those that a challenge names besides; undefined where it names nothing more. */
export function extend(scopes: readonly string[], challenge: string): string[] | undefined {
  const more = challenge.split(" ").filter((scope) => scope !== "" && !includes(scopes, [scope]));
  return more.length === 0 ? undefined : [...scopes, ...more];
}

function split(scope: string): { resource: string; actions: string[] } {
  const colon = scope.lastIndexOf(":");
  return { resource: scope.slice(0, colon), actions: scope.slice(colon + 1).split(",") };
}
