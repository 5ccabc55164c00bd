/** Loading once what many ask for at the same time. */

/**
 * A loader that loads when first asked. A thousand `import()`s of one module at the same time are a
 * thousand walks of its graph, though it is evaluated once.
 */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => loading ??= load();
}
