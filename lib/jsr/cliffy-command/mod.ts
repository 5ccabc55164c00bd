/** Stand-in for `@cliffy/command`: typed commands over `parseArgs` of `node:util`. */

export { type ActionHandler, Command, type CommandResult } from "./command.ts";
export { UnknownCommandError, UnknownOptionError, ValidationError } from "./errors.ts";
export { type ArgumentValue, EnumType, Type } from "./values.ts";
