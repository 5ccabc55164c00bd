/** Paths that lead to no file, by what is there. */

/** Makes them in a folder, the pipe also behind a link: words for what is there → absolute path. */
export async function makeSpecialFiles(folder: string): Promise<Record<string, string>> {
  const pipe = `${folder}/pipe`;
  const { success } = await new Deno.Command("mkfifo", { args: [pipe] }).output();
  if (!success) throw new Error("mkfifo failed");
  Deno.symlinkSync(pipe, `${folder}/link-to-pipe`);
  Deno.symlinkSync("/dev/zero", `${folder}/link-to-device`);
  return {
    "a named pipe": `${folder}/link-to-pipe`,
    "a device": `${folder}/link-to-device`,
  };
}
