/** Sizes as people write them. */

import { Fault } from "./errors.ts";

const UNITS: Record<string, number> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KIB: 2 ** 10,
  MIB: 2 ** 20,
  GIB: 2 ** 30,
};

/** A size such as `"120MB"` or `"64 MiB"` in bytes. */
export function bytesOf(size: number | string): number {
  if (typeof size === "number") return size;
  const [, number = "", unit = ""] = /^\s*([\d.]+)\s*([A-Za-z]*)\s*$/.exec(size) ?? [];
  const factor = UNITS[unit.toUpperCase()];
  if (number === "" || factor === undefined || Number.isNaN(Number(number))) {
    throw new Fault(`Cannot read the size "${size}"`, { next: 'write it as "120MB" or "64MiB"' });
  }
  return Number(number) * factor;
}
