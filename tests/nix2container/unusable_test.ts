import { assertEquals, assertMatch } from "@std/assert";
import { unusableFault } from "../../plugins/nix2container/unusable.ts";

const UNAVAILABLE: Readonly<Record<string, RegExp>> = {
  "the group 'nixbld' specified in 'build-users-group' does not exist": /build users/,
  "the build users group 'nixbld' has no members": /build users/,
  "experimental Nix feature 'nix-command' is disabled; use '--extra-experimental-features'":
    /experimental feature/,
  "cannot connect to socket at '/nix/var/nix/daemon-socket/socket': Connection refused": /daemon/,
  "this system does not support the kernel namespaces that are required for sandboxing; use '--no-sandbox' to disable sandboxing":
    /sandbox/,
  "cloning builder process: Operation not permitted": /sandbox/,
  "creating directory '/nix/var': Permission denied": /store/,
  "opening lock file '/nix/var/nix/db/big-lock': Read-only file system": /store/,
  "a 'aarch64-linux' with features {} is required to build '/nix/store/x.drv', but I am a 'x86_64-linux' with features {}":
    /platform/,
};

Deno.test("errors of a Nix that cannot build anything make an image unavailable", () => {
  for (const [error, words] of Object.entries(UNAVAILABLE)) {
    const fault = unusableFault(error, { where: "app" });
    assertEquals([fault?.kind, fault?.where], ["unavailable", "app"], error);
    assertMatch(fault!.message, words);
  }
});

Deno.test("a download from a host out of reach is told with the host", () => {
  const fault = unusableFault(
    "unable to download 'https://cache.nixos.org/x.narinfo': Couldn't resolve host name (6)",
    {},
  );
  assertEquals([fault?.kind, fault?.message], [
    "unreachable",
    "cache.nixos.org cannot be reached from here, and Nix needs it",
  ]);
});

Deno.test("an image's own error makes it fail", () => {
  for (
    const error of [
      "warning: the group 'nixbld' specified in 'build-users-group' does not exist",
      "builder for '/nix/store/x.drv' failed with exit code 1;\nlast 2 log lines:\n> sandbox: no\n> Permission denied",
      "executing '/nix/store/x-builder.sh': Permission denied",
      "attribute 'app' missing",
    ]
  ) {
    assertEquals(unusableFault(error, {}), undefined, error);
  }
});
