/** Commands and their options whatever their types, for what looks at the whole command tree. */

import type { Command } from "@cliffy/command";

/** Any command. */
// deno-lint-ignore no-explicit-any
export type AnyCommand = Command<any, any, any, any, any, any, any, any>;

/** One of its options. */
export type Option = ReturnType<AnyCommand["getOptions"]>[number];
