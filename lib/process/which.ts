/** Finds a program on PATH without starting anything; undefined where it is not there. */
export function which(name: string, path: string = Deno.env.get("PATH") ?? ""): string | undefined {
  if (name.includes("/")) return isProgram(name) ? name : undefined;
  for (const folder of path.split(":")) {
    const candidate = `${folder || "."}/${name}`;
    if (isProgram(candidate)) return candidate;
  }
  return undefined;
}

function isProgram(path: string): boolean {
  try {
    const info = Deno.statSync(path);
    return info.isFile && ((info.mode ?? 0) & 0o111) !== 0;
  } catch {
    return false;
  }
}
