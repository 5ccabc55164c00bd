/** Trees as text. */

/** Something with others below it. */
export interface Branch<T> {
  readonly value: T;
  readonly children: readonly Branch<T>[];
}

/** A value and what stands before it. */
export interface Row<T> {
  readonly value: T;
  /** Before its first line. */
  readonly lead: string;
  /** Before its other lines. */
  readonly below: string;
}

/** The values of trees in the order they are written down. */
export function treeRows<T>(roots: readonly Branch<T>[]): Row<T>[] {
  return roots.flatMap((root) => rowsOf(root, "", ""));
}

function rowsOf<T>({ value, children }: Branch<T>, lead: string, indent: string): Row<T>[] {
  const below = `${indent}${children.length > 0 ? "│  " : "   "}`;
  const rows = children.flatMap((child, at) => {
    const isLast = at === children.length - 1;
    return rowsOf(
      child,
      `${indent}${isLast ? "└─ " : "├─ "}`,
      `${indent}${isLast ? "   " : "│  "}`,
    );
  });
  return [{ value, lead, below }, ...rows];
}
