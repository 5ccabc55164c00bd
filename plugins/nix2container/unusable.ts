/** Reasons for which Nix cannot build anything on a machine, told by its words. */

import { Fault, type FaultOptions, unavailableFault } from "../../lib/model/errors.ts";
import { saysUnreachable } from "../../lib/util/network_failure.ts";

/** Words of Nix, what they mean, and what to do. */
const REASONS: readonly (readonly [words: RegExp, message: string, next: string])[] = [
  [
    /the group '[^']*' specified in 'build-users-group' does not exist|the build users group '[^']*' has no members/,
    "Nix cannot build anything here: the group of its build users does not exist or is empty",
    "create it as Nix's installer does, or write `build-users-group =` to /etc/nix/nix.conf",
  ],
  [
    /experimental (?:Nix )?feature '[^']*' is disabled/,
    "Nix cannot build it here: an experimental feature is disabled",
    "write `extra-experimental-features = nix-command flakes` to nix.conf",
  ],
  [
    /cannot connect to (?:daemon|socket)|could not connect to (?:the )?(?:nix )?daemon/i,
    "Nix's daemon does not run",
    "start it: `systemctl start nix-daemon`",
  ],
  [
    /namespaces that are required for sandboxing|(?:cloning builder process|private mount namespace|new namespace).*not permitted/,
    "Nix cannot build anything here: this machine does not let it make a sandbox",
    "allow user namespaces, or write `sandbox = false` to nix.conf",
  ],
  [
    /(?:lock file|creating directory|ownership of path|opening file|database) .*\/nix\/.*(?:Permission denied|Read-only file system)|readonly database/,
    "Nix's store cannot be written",
    "make /nix writable for your user, or install Nix with its daemon",
  ],
  [
    /^a '[^']*' with features .* is required to build '[^']*', but I am a /,
    "Nix cannot build for this platform here",
    "name a remote builder in nix.conf, or build it on a machine of that platform",
  ],
];

/**
 * The fault of an image that this machine cannot build, from an error of Nix; undefined where the
 * error is the image's own.
 */
export function unusableFault(error: string, options: FaultOptions): Fault | undefined {
  const [first = ""] = error.split("\n");
  if (first.startsWith("warning: ")) return undefined;
  const [, message, next] = REASONS.find(([words]) => words.test(first)) ?? [];
  if (message !== undefined) return unavailableFault(message, { ...options, next: next! });
  if (!saysUnreachable(error)) return undefined;
  const [, host] = /https?:\/\/([^/\s'"]+)/.exec(error) ?? [];
  return new Fault(`${host ?? "A host"} cannot be reached from here, and Nix needs it`, {
    ...options,
    kind: "unreachable",
    next: "check the network, or name a cache that is in reach in nix.conf",
  });
}
