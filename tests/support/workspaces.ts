/** Made-up workspaces of three members, and the lock files that pnpm, npm and cargo write for them. */

/** A package at one version, and what it depends on. */
export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Stands for what is downloaded. */
  readonly integrity: string;
  /** Keys `name@version`. */
  readonly dependencies: readonly string[];
}

/** A member: what it depends on, and which other members. */
export interface Member {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly members: readonly string[];
}

/** A workspace whose versions are chosen. */
export interface Workspace {
  readonly members: readonly Member[];
  readonly packages: readonly LockedPackage[];
  /** Settings that hold for all. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Writes a lock file. */
export interface LockfileWriter {
  /** Name of the file. */
  readonly file: string;
  /** What `workspace` names a member by. */
  readonly workspace: (member: string) => string;
  readonly write: (workspace: Workspace) => string;
  /** The same with a comment, or with white space where there are none. */
  readonly comment: (text: string) => string;
}

/** `name@version` of a package. */
export function keyOf({ name, version }: LockedPackage): string {
  return `${name}@${version}`;
}

/** All that is installed for a member, found without any lock file. */
export function installedFor(workspace: Workspace, member: string): string {
  const packages = new Map(workspace.packages.map((each) => [keyOf(each), each]));
  const members = new Map(workspace.members.map((each) => [each.name, each]));
  const found = new Set<string>();
  const visit = (key: string): void => {
    const each = packages.get(key)!;
    const line = JSON.stringify([key, each.integrity, [...each.dependencies].sort()]);
    if (found.has(line)) return;
    found.add(line);
    each.dependencies.forEach(visit);
  };
  const visitMember = (name: string): void => {
    const each = members.get(name)!;
    const line = JSON.stringify([name, [...each.dependencies].sort(), [...each.members].sort()]);
    if (found.has(line)) return;
    found.add(line);
    each.dependencies.forEach(visit);
    each.members.forEach(visitMember);
  };
  visitMember(member);
  return JSON.stringify([[...found].sort(), workspace.settings]);
}

const split = (key: string) => {
  const at = key.lastIndexOf("@");
  return [key.slice(0, at), key.slice(at + 1)] as const;
};

/** pnpm's version 9. */
const pnpm: LockfileWriter = {
  file: "pnpm-lock.yaml",
  workspace: (member) => `apps/${member}`,
  write: ({ members, packages, settings }) => {
    const lines = ["lockfileVersion: '9.0'", "", "settings:", "  autoInstallPeers: true"];
    if (Object.keys(settings).length > 0) lines.push("", "overrides:");
    for (const [name, value] of Object.entries(settings)) lines.push(`  ${name}: ${value}`);
    lines.push("", "importers:", "", "  .: {}");
    for (const { name, dependencies, members: others } of members) {
      const entries = [
        ...dependencies.map(split),
        ...others.map((other) => [other, `link:../${other}`] as const),
      ];
      lines.push("", `  apps/${name}:${entries.length === 0 ? " {}" : ""}`);
      if (entries.length > 0) lines.push("    dependencies:");
      for (const [dependency, version] of entries) {
        lines.push(`      ${dependency}:`, "        specifier: '*'", `        version: ${version}`);
      }
    }
    lines.push("", "packages:");
    for (const each of packages) {
      lines.push("", `  ${keyOf(each)}:`, `    resolution: {integrity: ${each.integrity}}`);
    }
    lines.push("", "snapshots:");
    for (const each of packages) {
      lines.push("", `  ${keyOf(each)}:${each.dependencies.length === 0 ? " {}" : ""}`);
      if (each.dependencies.length > 0) lines.push("    dependencies:");
      for (const [name, version] of each.dependencies.map(split)) {
        lines.push(`      ${name}: ${version}`);
      }
    }
    return `${lines.join("\n")}\n`;
  },
  comment: (text) => `# A comment.\n${text}`,
};

/** pnpm's version 6. */
const pnpm6: LockfileWriter = {
  ...pnpm,
  write: ({ members, packages, settings }) => {
    const lines = ["lockfileVersion: '6.0'", ""];
    if (Object.keys(settings).length > 0) lines.push("overrides:");
    for (const [name, value] of Object.entries(settings)) lines.push(`  ${name}: ${value}`);
    lines.push("importers:");
    for (const { name, dependencies, members: others } of members) {
      lines.push(`  apps/${name}:`, "    dependencies:");
      for (const [dependency, version] of dependencies.map(split)) {
        lines.push(`      ${dependency}:`, "        specifier: '*'", `        version: ${version}`);
      }
      for (const other of others) {
        lines.push(
          `      ${other}:`,
          "        specifier: '*'",
          `        version: link:../${other}`,
        );
      }
      if (dependencies.length + others.length === 0) lines.push("      {}");
    }
    lines.push("packages:");
    for (const each of packages) {
      lines.push(`  /${keyOf(each)}:`, `    resolution: {integrity: ${each.integrity}}`);
      if (each.dependencies.length > 0) lines.push("    dependencies:");
      for (const [name, version] of each.dependencies.map(split)) {
        lines.push(`      ${name}: ${version}`);
      }
      lines.push("    dev: false");
    }
    return `${lines.join("\n")}\n`;
  },
};

/** npm's version 3. The first version of a package is at the top, others below what uses them. */
const npm: LockfileWriter = {
  file: "package-lock.json",
  workspace: (member) => `apps/${member}`,
  write: ({ members, packages, settings }) => {
    const byKey = new Map(packages.map((each) => [keyOf(each), each]));
    const placed: Record<string, unknown> = {
      "": {
        name: "root",
        workspaces: ["apps/*"],
        ...(Object.keys(settings).length > 0 ? { overrides: settings } : {}),
      },
    };
    const top = new Map<string, string>();
    for (const each of packages) if (!top.has(each.name)) top.set(each.name, keyOf(each));
    const place = (folder: string, keys: readonly string[], seen: readonly string[]): void => {
      for (const key of keys) {
        const each = byKey.get(key)!;
        const isTop = top.get(each.name) === key;
        const base = isTop || folder === "" ? "" : `${folder}/`;
        const path = `${base}node_modules/${each.name}`;
        if (!isTop && seen.includes(key)) continue;
        if (Object.hasOwn(placed, path) && isTop) continue;
        placed[path] = {
          version: each.version,
          resolved: `https://registry.invalid/${each.name}-${each.version}.tgz`,
          integrity: each.integrity,
          ...(each.dependencies.length === 0
            ? {}
            : { dependencies: Object.fromEntries(each.dependencies.map(split)) }),
        };
        place(path, each.dependencies, [...seen, key]);
      }
    };
    for (const { name, dependencies, members: others } of members) {
      placed[`apps/${name}`] = {
        name,
        version: "1.0.0",
        dependencies: Object.fromEntries([
          ...dependencies.map(split),
          ...others.map((other) => [other, "*"]),
        ]),
      };
      placed[`node_modules/${name}`] = { resolved: `apps/${name}`, link: true };
      place(`apps/${name}`, dependencies, []);
    }
    const document = { name: "root", lockfileVersion: 3, requires: true, packages: placed };
    return `${JSON.stringify(document, null, 2)}\n`;
  },
  comment: (text) => `${text}\n \n`,
};

const REGISTRY = "registry+https://github.com/rust-lang/crates.io-index";

/** cargo's version 4: a version is named only where there are several. */
const cargo: LockfileWriter = {
  file: "Cargo.lock",
  workspace: (member) => member,
  write: ({ members, packages, settings }) => {
    const count = (name: string) => packages.filter((each) => each.name === name).length;
    const reference = (key: string) => {
      const [name, version] = split(key);
      return count(name) > 1 ? `${name} ${version}` : name;
    };
    const list = (references: readonly string[]) =>
      references.length === 0
        ? ""
        : `dependencies = [\n${references.map((each) => ` "${each}",\n`).sort().join("")}]\n`;
    const blocks = [
      ...members.map(({ name, dependencies, members: others }) =>
        `[[package]]\nname = "${name}"\nversion = "0.1.0"\n` +
        list([...dependencies.map(reference), ...others])
      ),
      ...packages.map((each) =>
        `[[package]]\nname = "${each.name}"\nversion = "${each.version}"\n` +
        `source = "${REGISTRY}"\nchecksum = "${each.integrity}"\n` +
        list(each.dependencies.map(reference))
      ),
    ];
    const unused = Object.entries(settings).map(([name, version]) =>
      `[[patch.unused]]\nname = "${name}"\nversion = "${version}"\n`
    );
    return `version = 4\n\n${[...blocks, ...unused].join("\n")}`;
  },
  comment: (text) => `# A comment.\n${text}`,
};

/** The writers, by what they are of. */
export const WRITERS: Readonly<Record<string, LockfileWriter>> = {
  "pnpm 9": pnpm,
  "pnpm 6": pnpm6,
  npm,
  cargo,
};
