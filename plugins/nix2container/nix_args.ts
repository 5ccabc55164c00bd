/** Arguments of a recipe, as far as it matters here what they mean to Nix. */

/** Nix's own commands are experimental to it; a configuration may not have switched them on. */
export const FEATURES: readonly string[] = [
  "--extra-experimental-features",
  "nix-command flakes",
];

/** Arguments that only `nix build` knows, and how many values follow each. */
const BUILD_ONLY: Readonly<Record<string, number>> = {
  "--rebuild": 0,
  "--print-out-paths": 0,
  "--no-link": 0,
  "--out-link": 1,
  "-o": 1,
  "--profile": 1,
};

/** Arguments with which the same files need not evaluate to the same. */
const IMPURE: ReadonlySet<string> = new Set([
  "--impure",
  "--no-pure-eval",
  "--override-input",
  "--override-flake",
  "--update-input",
  "--recreate-lock-file",
  "--reference-lock-file",
]);

/** The arguments that `nix eval` takes too. */
export function evaluationArgs(args: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const values = BUILD_ONLY[args[at]!];
    if (values === undefined) kept.push(args[at]!);
    else at += values;
  }
  return kept;
}

/** Says whether another evaluation may give something else although no file changed. */
export function isImpure(args: readonly string[]): boolean {
  return args.some((arg, at) =>
    IMPURE.has(arg) || (arg === "--option" && args[at + 1] === "pure-eval")
  );
}

/** Arguments with which other settings, or a lock file that is not written, decide the result. */
const UNSETTLED: ReadonlySet<string> = new Set([
  "--no-write-lock-file",
  "--inputs-from",
  "--include",
  "-I",
  "--arg",
  "--arg-from-file",
  "--arg-from-stdin",
  "--eval-store",
]);

/** Whether the files of a flake, with these arguments, are all that decides its result. */
export function isDecidedByFiles(args: readonly string[]): boolean {
  return !isImpure(args) && !args.some((arg) => UNSETTLED.has(arg));
}

/** Says whether arguments of functions are given, which only Nix itself can apply. */
export function hasFunctionArgs(args: readonly string[]): boolean {
  return args.some((arg) => arg === "--arg" || arg === "--argstr");
}

/**
 * The folder that a store of one's own (`--store`) has as its root: `/nix/store/…` is found below it.
 * Empty where the store is the machine's.
 */
export function storeRootOf(args: readonly string[]): string {
  const at = args.lastIndexOf("--store");
  const store = at < 0 ? "" : args[at + 1] ?? "";
  if (store.startsWith("/")) return store.replace(/\/+$/, "");
  const query = /^local(?:-overlay)?(?::\/\/)?\?(.*)$/.exec(store)?.[1] ?? "";
  return (new URLSearchParams(query).get("root") ?? "").replace(/\/+$/, "");
}
