/** The HCL parser, 2 MB of WebAssembly: imported only where there is a file for it. */

// @ts-types="./hcl2json.d.ts"
export { parse } from "@cdktn/hcl2json";
