/** Lock files in the forms that tools write for what is rare. */

import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { npmParts } from "../../lib/files/projections/npm.ts";
import { NotUnderstood, type Part } from "../../lib/files/projections/part.ts";
import { pnpmParts } from "../../lib/files/projections/pnpm.ts";

function labels(parts: readonly Part[]): string[] {
  return parts.map(({ name, version }) => version === undefined ? name : `${name} ${version}`)
    .sort();
}

const PNPM = `lockfileVersion: '9.0'
settings:
  autoInstallPeers: true
patchedDependencies:
  left-pad@1.1.0: { hash: aa, path: patches/left-pad.patch }
time:
  react@18.2.0: '2022-06-14T19:46:38.369Z'
importers:
  .: {}
  apps:
    devDependencies: { tool: { specifier: 1.0.0, version: 1.0.0 } }
  apps/web:
    dependencies:
      pad: { specifier: 'npm:left-pad@1.1.0', version: left-pad@1.1.0(patch_hash=aa) }
      ui: { specifier: 'workspace:*', version: 'file:packages/ui(react@18.2.0)' }
    optionalDependencies:
      fsevents: { specifier: 2.0.0, version: 2.0.0 }
  apps/api:
    dependencies: { other: { specifier: 1.0.0, version: 1.0.0 } }
  packages/ui:
    dependencies: { deep: { specifier: 1.0.0, version: 1.0.0 } }
packages:
  left-pad@1.1.0: { resolution: { integrity: a } }
  ui@file:packages/ui: { resolution: { directory: packages/ui, type: directory } }
  react@18.2.0: { resolution: { integrity: r } }
  fsevents@2.0.0: { resolution: { integrity: f }, os: [darwin] }
  other@1.0.0: { resolution: { integrity: o } }
  tool@1.0.0: { resolution: { integrity: t } }
  deep@1.0.0: { resolution: { integrity: d } }
snapshots:
  left-pad@1.1.0(patch_hash=aa): {}
  ui@file:packages/ui(react@18.2.0): { dependencies: { react: 18.2.0 } }
  react@18.2.0: {}
  fsevents@2.0.0: { optional: true }
  other@1.0.0: {}
  tool@1.0.0: {}
  deep@1.0.0: {}
`;

Deno.test("pnpm: aliases, patches, members that are copied, and what folders above install", () => {
  assertEquals(labels(pnpmParts(PNPM, "apps/web")), [
    ".",
    "apps",
    "apps/web",
    "deep 1.0.0",
    "fsevents 2.0.0",
    "left-pad 1.1.0",
    "lockfileVersion",
    "packages/ui",
    "patchedDependencies",
    "react 18.2.0",
    "settings",
    "tool 1.0.0",
    "ui file:packages/ui",
  ]);
  const web = (text: string) => JSON.stringify(pnpmParts(text, "apps/web"));
  for (const [from, to] of [["integrity: d", "integrity: x"], ["hash: aa", "hash: bb"]] as const) {
    assertNotEquals(web(PNPM.replace(from, to)), web(PNPM));
  }
  for (const [from, to] of [["integrity: o", "integrity: x"], ["'2022-06", "'2023-06"]] as const) {
    assertEquals(web(PNPM.replace(from, to)), web(PNPM));
  }
});

Deno.test("pnpm: packages of version 5 are called by their names, with scope and peers", () => {
  const lock = `lockfileVersion: 5.4
specifiers: { '@a/b': ^1.0.0, old: 1.0.0 }
dependencies: { '@a/b': 1.0.0_eslint@8.57.0, old: 1.0.0_@babel+core@7.0.0 }
packages:
  /@a/b/1.0.0_eslint@8.57.0: { resolution: { integrity: a }, dependencies: { eslint: 8.57.0 } }
  /eslint/8.57.0: { resolution: { integrity: r } }
  /old/1.0.0_@babel+core@7.0.0: { resolution: { integrity: r } }
`;
  assertEquals(labels(pnpmParts(lock, ".")), [
    ".",
    "@a/b 1.0.0",
    "eslint 8.57.0",
    "lockfileVersion",
    "old 1.0.0",
  ]);
});

Deno.test("npm: packages where Node finds them, and optional ones that come", () => {
  const packages = {
    "": { workspaces: ["apps/*"] },
    "apps": { devDependencies: { tool: "1" } },
    "apps/web": { dependencies: { a: "1", ui: "*" }, optionalDependencies: { no: "1" } },
    "apps/api": { dependencies: { a: "2" } },
    "packages/ui": { dependencies: { b: "1" }, peerDependencies: { react: "*" } },
    "node_modules/ui": { resolved: "packages/ui", link: true },
    "node_modules/a": { version: "2.0.0" },
    "apps/web/node_modules/a": { version: "1.0.0", dependencies: { b: "1" } },
    "apps/web/node_modules/a/node_modules/b": { version: "1.0.0", ideallyInert: true },
    "apps/node_modules/tool": { version: "1.0.0" },
    "node_modules/b": { version: "1.5.0" },
  };
  const lock = (more: object = {}) =>
    JSON.stringify({ name: "root", lockfileVersion: 3, packages: { ...packages, ...more } });
  assertEquals(labels(npmParts(lock(), "apps/web")), [
    ".",
    "a 1.0.0",
    "apps",
    "apps/web",
    "b 1.0.0",
    "b 1.5.0",
    "lockfileVersion",
    "name",
    "node_modules/ui",
    "packages/ui",
    "tool 1.0.0",
  ]);
  const web = (more?: object) => JSON.stringify(npmParts(lock(more), "apps/web"));
  assertEquals(web({ "node_modules/a": { version: "2.0.1" } }), web());
  assertNotEquals(web({ "node_modules/no": { version: "1.0.0" } }), web());
});

Deno.test("a lock file with a conflict, two documents or an alias is not understood", () => {
  for (
    const text of [
      `<<<<<<< HEAD\n${PNPM}`,
      `${PNPM}---\n${PNPM}`,
      PNPM.replace("settings:", "settings: &a").replace("time:", "overrides: *a\ntime:"),
    ]
  ) assertThrows(() => pnpmParts(text, "apps/web"));
  assertThrows(() => pnpmParts(PNPM, "apps/wbe"), NotUnderstood, 'no importer "apps/wbe"');
});
