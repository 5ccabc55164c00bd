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

/** The scopes with more besides; undefined where these are included already. */
export function extend(scopes: readonly string[], more: readonly string[]): string[] | undefined {
  const all = [...scopes];
  for (const scope of more) if (!includes(all, [scope])) all.push(scope);
  return all.length === scopes.length ? undefined : all;
}

function split(scope: string): { resource: string; actions: string[] } {
  const colon = scope.lastIndexOf(":");
  return { resource: scope.slice(0, colon), actions: scope.slice(colon + 1).split(",") };
}
