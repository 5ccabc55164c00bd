/** Trees as text. */

/** Something with others below it. */
export interface Branch<T> {
  readonly value: T;
  /** Asked for once, when the tree is written down to here. */
  readonly children: () => readonly Branch<T>[];
}

/** A value and what stands before it. */
export interface Row<T> {
  readonly value: T;
  /** Before its first line. */
  readonly lead: string;
  /** Before its other lines. */
  readonly below: string;
}

/** A chain of thousands is written down without being indented further from here on. */
const DEEPEST = 50;

/** A branch that is still to be written down. */
interface Open<T> {
  readonly branch: Branch<T>;
  readonly lead: string;
  readonly indent: string;
  readonly depth: number;
}

/** The values of trees in the order they are written down. */
export function treeRows<T>(roots: readonly Branch<T>[]): Row<T>[] {
  const rows: Row<T>[] = [];
  const open: Open<T>[] = roots.map((branch) => ({ branch, lead: "", indent: "", depth: 0 }))
    .reverse();
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { branch, lead, indent, depth } = next;
    const children = branch.children();
    rows.push({
      value: branch.value,
      lead,
      below: `${indent}${children.length > 0 ? "│  " : "   "}`,
    });
    const base = depth < DEEPEST ? indent : indent.slice(0, -3);
    for (const [at, child] of [...children.entries()].reverse()) {
      const isLast = at === children.length - 1;
      open.push({
        branch: child,
        lead: `${base}${isLast ? "└─ " : "├─ "}`,
        indent: `${base}${isLast ? "   " : "│  "}`,
        depth: depth + 1,
      });
    }
  }
  return rows;
}
