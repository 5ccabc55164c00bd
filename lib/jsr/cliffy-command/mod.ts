/** Stand-in for `@cliffy/command`: typed commands. */

export { type ActionHandler, Command, type CommandResult } from "./command.ts";
export { ValidationError } from "./errors.ts";
export {
  type ArgumentValue,
  EnumType,
  FileType,
  type InferType,
  StringType,
  Type,
} from "./values.ts";
