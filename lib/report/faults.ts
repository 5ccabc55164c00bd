/** Faults and paths as people see them. */

import { shown } from "../dsl/findings.ts";
import { type Fault, renderPlace } from "../model/errors.ts";
import type { ErrorResult } from "../model/result.ts";
import type { Palette } from "./palette.ts";

export { shown };

/** What is known of a fault beside its message: excerpt, remedy, log. */
export function faultDetails(fault: Fault, palette: Palette): string[] {
  return [
    ...(fault.excerpt ? fault.excerpt.split("\n") : []),
    ...(fault.next ? [`${palette.strong("next:")} ${fault.next}`] : []),
    ...(fault.log ? [`log: ${shown(fault.log)}`] : []),
  ];
}

/** A fault's message with its place, unless that is only the name it is told under. */
export function faultMessage(fault: Fault, id: string): string {
  const place = fault.place && renderPlace(fault.place);
  const isNamed = fault.where === id || id.startsWith(`${fault.where}@`);
  const where = isNamed ? undefined : fault.where;
  return [place ?? where, fault.message].filter(Boolean).join(": ");
}

/** The same of an error as data; `ids` are what it is told under. */
export function errorMessage({ message, where }: ErrorResult, ids: readonly string[]): string {
  return where === undefined || ids.includes(where) ? message : `${where}: ${message}`;
}

/** A fault that ends everything, in full. */
export function faultText(fault: Fault, palette: Palette): string {
  const head = `${palette.error("error:")} ${faultMessage(fault, "")}`;
  return [head, ...faultDetails(fault, palette)].join("\n");
}
