/** Expressions of GitHub's workflows: `${{ env.REGISTRY }}/${{ matrix.name || 'web' }}`. */

import { isKnown, unknown } from "./partial.ts";

/** The value of a dotted name in lower case; undefined where only CI knows it. */
export type ExpressionLookup = (name: string) => string | undefined;

/** Puts values in the place of a text's expressions; what is not known stays marked. */
export function resolveExpressions(text: string, lookup: ExpressionLookup): string {
  let out = "";
  let at = 0;
  for (let start; (start = text.indexOf("${{", at)) >= 0;) {
    const end = text.indexOf("}}", start);
    if (end < 0) break;
    out += text.slice(at, start) + evaluate(text.slice(start + 3, end), lookup);
    at = end + 2;
  }
  return out + text.slice(at);
}

/** `a || b` is the first that is not empty; other operators are not evaluated. */
function evaluate(expression: string, lookup: ExpressionLookup): string {
  let value = "";
  for (const operand of splitOutsideQuotes(expression, "||")) {
    value = operandValue(operand.trim(), lookup) ?? unknown(expression);
    if (value !== "" && value !== "false") break;
  }
  return value;
}

function operandValue(operand: string, lookup: ExpressionLookup): string | undefined {
  if (operand.startsWith("'")) return literalOf(operand);
  if (/^(?:true|false|-?\d[\d.]*)$/.test(operand)) return operand;
  if (operand === "null") return "";
  const call = /^format\(/i.test(operand) && operand.endsWith(")");
  if (call) return formatted(operand.slice("format(".length, -1), lookup);
  const name = operand.replace(/\[['"]/g, ".").replace(/['"]\]/g, "");
  return /^[\w.-]+$/.test(name) ? lookup(name.toLowerCase()) : undefined;
}

function literalOf(operand: string): string | undefined {
  const inner = operand.slice(1, -1);
  const isWhole = operand.length > 1 && operand.endsWith("'");
  return isWhole && !inner.replaceAll("''", "").includes("'")
    ? inner.replaceAll("''", "'")
    : undefined;
}

function formatted(list: string, lookup: ExpressionLookup): string | undefined {
  const values = splitOutsideQuotes(list, ",").map((each) => operandValue(each.trim(), lookup));
  const [template, ...rest] = values;
  if (template === undefined || !isKnown(template)) return undefined;
  if (rest.some((each) => each === undefined)) return undefined;
  return template.replace(/\{(\d{1,3})\}/g, (_, index) => rest[Number(index)] ?? "");
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "'") isQuoted = !isQuoted;
    else if (!isQuoted && text.startsWith(separator, at)) {
      parts.push(text.slice(start, at));
      at += separator.length - 1;
      start = at + 1;
    }
  }
  return [...parts, text.slice(start)];
}
