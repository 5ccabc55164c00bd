/** Types of `@cdktn/hcl2json`: its own bring those of Node along, which change the globals'. */

/** Parses HCL; expressions are kept as `${…}`. Rejects where the text is no HCL. */
export function parse(filename: string, contents: string): Promise<Record<string, unknown>>;
