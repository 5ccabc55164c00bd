/** The local modules that images.ts is made of, found by reading their import statements. */

/** Matches the specifier of every static import or re-export, and of dynamic ones that are literal. */
const IMPORT =
  /(?:^|[\s;}])(?:import|export)\s*(?:[\w*{}\s,$]*?\sfrom\s*)?["']([^"']+)["']|\bimport\s*\(\s*["']([^"']+)["']/g;

/** Absolute paths of a module and of the local ones it imports, sorted. Packages are not local. */
export function localModules(entry: string): readonly string[] {
  const found = new Set<string>();
  const open = [entry];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    const text = readIfThere(path);
    if (text === undefined) continue;
    found.add(path);
    for (const match of text.matchAll(IMPORT)) {
      const specifier = match[1] ?? match[2] ?? "";
      if (!/^\.{1,2}\/|^\/|^file:/.test(specifier)) continue;
      open.push(decodeURIComponent(new URL(specifier, `file://${encodeURI(path)}`).pathname));
    }
  }
  return [...found].sort();
}

function readIfThere(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}
