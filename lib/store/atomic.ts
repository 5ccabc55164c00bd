/** Files that are there whole or not at all. */

let counter = 0;

/** A name beside a path that no other process or call uses. */
export function temporaryName(path: string): string {
  counter += 1;
  return `${path}.${Deno.pid}-${counter}.tmp`;
}

/** Writes a file so that a reader, or a kill at any instant, sees the old one or the new one. */
export function writeAtomic(path: string, content: string | Uint8Array): void {
  const temporary = temporaryName(path);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  try {
    writeNew(temporary, bytes);
    Deno.renameSync(temporary, path);
  } catch (error) {
    removeIfThere(temporary);
    throw error;
  }
}

function writeNew(path: string, bytes: Uint8Array): void {
  try {
    Deno.writeFileSync(path, bytes, { createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    Deno.writeFileSync(path, bytes, { createNew: true });
  }
}

/** Removes a file; one that is not there is no fault. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
