/**
 * Brings the program that serves the manual: `deno run -A tasks/handbook/server.ts ARCH OUT` copies
 * esbuild for Linux to OUT. It is one static binary with a web server in it, needs no C library, and
 * comes from npm for every architecture, whatever this machine is.
 */

// deno-lint-ignore-file no-import-prefix -- nothing but the manual needs these packages

/** Architectures, named as `Deno.build.arch` names them. */
const programs = {
  x86_64: async () => {
    await import("npm:@esbuild/linux-x64@0.28.2/package.json", { with: { type: "json" } });
    return import.meta.resolve("npm:@esbuild/linux-x64@0.28.2/bin/esbuild");
  },
  aarch64: async () => {
    await import("npm:@esbuild/linux-arm64@0.28.2/package.json", { with: { type: "json" } });
    return import.meta.resolve("npm:@esbuild/linux-arm64@0.28.2/bin/esbuild");
  },
};

/** Copies the program for an architecture into a folder, executable. */
export async function copyServer(arch: keyof typeof programs, out: string): Promise<void> {
  const program = await programs[arch]();
  Deno.mkdirSync(out, { recursive: true });
  Deno.copyFileSync(new URL(program), `${out}/esbuild`);
  Deno.chmodSync(`${out}/esbuild`, 0o755);
}

if (import.meta.main) {
  const [arch, out] = Deno.args;
  if (arch === undefined || !(arch in programs) || out === undefined) {
    throw new Error(`Name an architecture (${Object.keys(programs).join(", ")}) and a folder`);
  }
  await copyServer(arch as keyof typeof programs, out);
}
