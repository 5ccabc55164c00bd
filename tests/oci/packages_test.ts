import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ImageFilesystem } from "../../lib/oci/filesystem.ts";
import type { ListedFile } from "../../lib/oci/listing.ts";
import {
  isPackageDatabase,
  type Package,
  packagesOf,
  parsePackages,
} from "../../lib/oci/packages.ts";
import { comparePackages } from "../../lib/oci/compare_packages.ts";

const APK = `C:Q1abc=
P:musl
V:1.2.5-r0
F:lib
R:libc.musl-x86_64.so.1

C:Q1def=
P:busybox
V:1.36.1-r29

`;

const DPKG = `Package: base-files
Status: install ok installed
Version: 12.4+deb12u5
Description: Debian base system
 Package: not a field, but a continuation

Package: gone
Status: deinstall ok config-files
Version: 1

`;

Deno.test("parsePackages() reads apk's and dpkg's databases", () => {
  assertEquals(parsePackages("/lib/apk/db/installed", APK), [
    { manager: "apk", name: "musl", version: "1.2.5-r0" },
    { manager: "apk", name: "busybox", version: "1.36.1-r29" },
  ]);
  assertEquals(parsePackages("/var/lib/dpkg/status", DPKG), [
    { manager: "dpkg", name: "base-files", version: "12.4+deb12u5" },
  ]);
  assertEquals(
    parsePackages("/var/lib/dpkg/status.d/tzdata", "Package: tzdata\nVersion: 2024a-0\n"),
    [{ manager: "dpkg", name: "tzdata", version: "2024a-0" }],
  );
});

Deno.test("isPackageDatabase() knows the files that tell what is installed", () => {
  const known = [
    "/lib/apk/db/installed",
    "/usr/lib/apk/db/installed",
    "/var/lib/dpkg/status",
    "/var/lib/dpkg/status.d/libc6",
  ];
  const others = ["/var/lib/dpkg/status.d/libc6.md5sums", "/var/lib/dpkg/status-old", "/status"];
  assertEquals([...known, ...others].map(isPackageDatabase), [
    ...known.map(() => true),
    ...others.map(() => false),
  ]);
});

Deno.test("parsePackages() gives back what was written, whatever stands around it", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9+.-]{0,12}$/);
  const version = fc.stringMatching(/^[0-9][A-Za-z0-9.+~:-]{0,12}$/);
  const noise = fc.stringMatching(/^[A-Z][a-z]{0,6}: ?[ -~]{0,20}$/)
    .filter((line) => !/^(Package|Version|Status|P|V):/i.test(line));
  const written = fc.array(fc.tuple(word, version, fc.array(noise, { maxLength: 3 })));
  fc.assert(fc.property(written, (packages) => {
    const expected = packages.map(([name, version]) => ({ name, version }));
    const dpkg = packages.map(([name, version, lines]) =>
      [`Package: ${name}`, ...lines, `Version: ${version}`, ""].join("\n")
    ).join("\n");
    const apk = packages.map(([name, version, lines]) =>
      [...lines, `P:${name}`, `V:${version}`, ""].join("\n")
    ).join("\n");
    const read = (path: string, text: string) =>
      parsePackages(path, text).map(({ name, version }) => ({ name, version }));
    assertEquals(read("/var/lib/dpkg/status", dpkg), expected);
    assertEquals(read("/lib/apk/db/installed", apk), expected);
  }));
});

function file(path: string, more: Partial<ListedFile> = {}): ListedFile {
  return { path, type: "file", mode: 0o644, uid: 0, gid: 0, size: 1, ...more };
}

Deno.test("packagesOf() joins the databases of the topmost layers and Nix's store", () => {
  const old: Package = { manager: "apk", name: "musl", version: "1" };
  const now: Package = { manager: "apk", name: "musl", version: "2" };
  const tz: Package = { manager: "dpkg", name: "tzdata", version: "3" };
  const hash = "0c4w1mbdsnhxbcgbwa6vb5dbxdqyxbqm";
  const layer = (files: ListedFile[]) => ({ files, removed: [], opaque: [] });
  const filesystem = new ImageFilesystem([
    layer([
      file("/usr/lib", { type: "directory" }),
      file("/lib", { type: "symlink", linkTarget: "usr/lib" }),
      file("/lib/apk/db/installed", { packages: [old] }),
      file("/var/lib/dpkg/status.d/tzdata", { packages: [tz] }),
      file(`/nix/store/${hash}-bash-5.2-p15`, { type: "directory" }),
      file(`/nix/store/${hash}-my-tool`, { type: "directory" }),
      file(`/nix/store/.links`, { type: "directory" }),
    ]),
    layer([file("/lib/apk/db/installed", { packages: [now] })]),
  ]);
  assertEquals(packagesOf(filesystem), [
    now,
    tz,
    { manager: "nix", name: "bash", version: "5.2-p15", build: hash },
    { manager: "nix", name: "my-tool", version: "", build: hash },
  ]);
});

Deno.test("comparePackages() tells what came, went, changed and was built again", () => {
  const apk = (name: string, version: string): Package => ({ manager: "apk", name, version });
  const nix = (name: string, build: string): Package => ({
    manager: "nix",
    name,
    version: "1",
    build,
  });
  assertEquals(
    comparePackages(
      [apk("a", "1"), apk("b", "1"), apk("same", "1"), nix("n", "x"), nix("m", "x")],
      [apk("b", "2"), apk("c", "1"), apk("same", "1"), nix("n", "y"), nix("m", "x")],
    ),
    [
      { manager: "apk", name: "a", change: "removed", before: ["1"], after: [] },
      { manager: "apk", name: "b", change: "changed", before: ["1"], after: ["2"] },
      { manager: "apk", name: "c", change: "added", before: [], after: ["1"] },
      { manager: "nix", name: "n", change: "rebuilt", before: ["1"], after: ["1"] },
    ],
  );
});
