import { assert, assertEquals } from "@std/assert";
import { Credentials } from "../../lib/registry/credentials.ts";
import { tempFolder } from "../support/real/temp_folder.ts";

/** A home of its own, with files and helpers. */
async function homeWith(files: Readonly<Record<string, unknown>>) {
  const folder = await tempFolder("home");
  for (const [name, content] of Object.entries(files)) {
    const path = `${folder.path}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await Deno.writeTextFile(path, text, { mode: name.startsWith("bin/") ? 0o755 : 0o600 });
  }
  return {
    path: folder.path,
    env: { HOME: folder.path, PATH: `${folder.path}/bin:${Deno.env.get("PATH")}` },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

const auth = (user: string, password: string) => ({ auth: btoa(`${user}:${password}`) });

/** Who is found for a repository. */
async function userFor(
  host: string,
  repository: string,
  env: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { credential } = await new Credentials({ env }).find(host, repository);
  return credential?.kind === "token" ? "token" : credential?.user;
}

Deno.test("credentials come from the first place that has them", async () => {
  await using home = await homeWith({
    "run/containers/auth.json": { auths: { "a.io": auth("run", "1") } },
    "xdg/containers/auth.json": { auths: { "a.io": auth("xdg", "1"), "b.io": auth("xdg", "1") } },
    ".config/containers/auth.json": { auths: { "c.io": auth("config", "1") } },
    ".docker/config.json": { auths: { "b.io": auth("docker", "1"), "c.io": auth("docker", "1") } },
    "docker/config.json": { auths: { "c.io": auth("moved", "1") } },
    "named.json": { auths: { "a.io": auth("named", "1") } },
  });
  const { path, env } = home;
  const xdg = { ...env, XDG_RUNTIME_DIR: `${path}/run`, XDG_CONFIG_HOME: `${path}/xdg` };
  assertEquals(await userFor("a.io", "app", xdg), "run");
  assertEquals(await userFor("b.io", "app", xdg), "xdg");
  assertEquals(await userFor("c.io", "app", xdg), "docker");
  assertEquals(await userFor("c.io", "app", env), "config");
  assertEquals(await userFor("c.io", "app", { ...xdg, DOCKER_CONFIG: `${path}/docker` }), "moved");
  const named = { ...xdg, REGISTRY_AUTH_FILE: `${path}/named.json` };
  assertEquals(await userFor("a.io", "app", named), "named");
  assertEquals(await userFor("b.io", "app", named), undefined);
});

Deno.test("in a file the longest path counts, and old keys are understood", async () => {
  await using home = await homeWith({
    ".docker/config.json": {
      auths: {
        "a.io": auth("host", "1"),
        "a.io/team": auth("team", "1"),
        "a.io/team/app": auth("app", "1"),
        "https://b.io/v1/": auth("old", "1"),
        "https://c.io": auth("url", "1"),
      },
    },
  });
  const { env } = home;
  assertEquals(await userFor("a.io", "team/app", env), "app");
  assertEquals(await userFor("a.io", "team/app2", env), "team");
  assertEquals(await userFor("a.io", "team2/app", env), "host");
  assertEquals(await userFor("b.io", "x", env), "old");
  assertEquals(await userFor("c.io", "x", env), "url");
  assertEquals(await userFor("c.io:5000", "x", env), undefined);
});

Deno.test("Docker Hub has a key of its own", async () => {
  await using docker = await homeWith({
    ".docker/config.json": { auths: { "https://index.docker.io/v1/": auth("hub", "1") } },
  });
  assertEquals(await userFor("docker.io", "library/node", docker.env), "hub");
  await using podman = await homeWith({
    ".config/containers/auth.json": { auths: { "docker.io/me": auth("me", "1") } },
  });
  assertEquals(await userFor("docker.io", "me/app", podman.env), "me");
  assertEquals(await userFor("docker.io", "you/app", podman.env), undefined);
});

Deno.test("an entry may hold a password, a refresh token or a token", async () => {
  await using home = await homeWith({
    ".docker/config.json": {
      auths: {
        "a.io": auth("ann", "pass:word\0\0"),
        "b.io": { username: "bob", password: "secret" },
        "c.io": { ...auth("<token>", ""), identitytoken: "refresh" },
        "d.io": { registrytoken: "bearer" },
        "e.io": { auth: "%%%" },
      },
    },
  });
  const source = `${home.path}/.docker/config.json`;
  const find = async (host: string) =>
    (await new Credentials({ env: home.env }).find(host, "app")).credential;
  assertEquals(await find("a.io"), {
    kind: "password",
    user: "ann",
    password: "pass:word",
    source,
  });
  assertEquals(await find("b.io"), { kind: "password", user: "bob", password: "secret", source });
  assertEquals(await find("c.io"), { kind: "identity", user: "<token>", token: "refresh", source });
  assertEquals(await find("d.io"), { kind: "token", token: "bearer", source });
  const { credential, tried } = await new Credentials({ env: home.env }).find("e.io", "app");
  assertEquals(credential, undefined);
  assertEquals(tried, [`${source} (its entry cannot be read)`]);
});

const HELPER = `#!/bin/sh
read -r host
echo "$@" "$host" >> "$HOME_OF_TEST/asked"
case "$host" in
  a.io) echo '{"ServerURL":"a.io","Username":"ann","Secret":"helped"}' ;;
  b.io) echo '{"ServerURL":"b.io","Username":"<token>","Secret":"refresh"}' ;;
  https://index.docker.io/v1/) echo '{"Username":"hub","Secret":"helped"}' ;;
  noise) echo 'secret in noise'; exit 0 ;;
  *) echo 'credentials not found in native keychain'; exit 1 ;;
esac
`;

Deno.test("helpers are asked for the host on their input", async () => {
  await using home = await homeWith({
    ".docker/config.json": {
      credHelpers: { "a.io": "test" },
      credsStore: "test",
      auths: { "a.io": auth("entry", "1"), "b.io": {}, "c.io": auth("plain", "1") },
    },
    "bin/docker-credential-test": HELPER,
  });
  const helper = `${home.path}/bin/docker-credential-test`;
  await Deno.writeTextFile(helper, HELPER.replaceAll("$HOME_OF_TEST", home.path), { mode: 0o755 });
  const find = (host: string) => new Credentials({ env: home.env }).find(host, "team/app");
  const source = `${home.path}/.docker/config.json through docker-credential-test`;
  assertEquals((await find("a.io")).credential, {
    ...{ kind: "password", user: "ann", password: "helped", source },
  });
  assertEquals((await find("b.io")).credential, {
    ...{ kind: "identity", user: "<token>", token: "refresh", source },
  });
  assertEquals(await userFor("c.io", "app", home.env), "plain");
  assertEquals(await userFor("docker.io", "library/node", home.env), "hub");
  const unknown = await find("d.io");
  assertEquals(unknown.tried, [
    `${home.path}/.docker/config.json (docker-credential-test knows none)`,
  ]);
  assertEquals((await find("noise")).credential, undefined);
  const asked = (await Deno.readTextFile(`${home.path}/asked`)).trim().split("\n");
  assertEquals(asked[0], "get a.io");
  assert(asked.every((line) => line.startsWith("get ")), asked.join());
});

// What ends a helper for good comes a while after what asks it to end.
Deno.test("what ails a helper is told, and no secret", {
  sanitizeResources: false,
  sanitizeOps: false,
}, async () => {
  const said: Record<string, string> = {
    "echo 'pass not initialized'; echo hunter2 >&2; exit 1": "ends with 1: pass not initialized",
    "exit 3": "ends with 3",
    "echo hunter2": "prints no credential",
    'echo \'{"Username":"ann"}\'': "prints no credential",
    "exec sleep 600": "has not answered in 0.05 s",
  };
  for (const [script, why] of Object.entries(said)) {
    await using home = await homeWith({
      ".docker/config.json": { credsStore: "test" },
      "bin/docker-credential-test": `#!/bin/sh\n${script}\n`,
    });
    const patience = script.includes("sleep") ? { patience: 50 } : {};
    const { credential, tried } = await new Credentials({ env: home.env, ...patience })
      .find("docker.io", "app");
    assertEquals(credential, undefined);
    assertEquals(tried, [`${home.path}/.docker/config.json (docker-credential-test ${why})`]);
  }
});

Deno.test("a helper that is not installed, or has no name, is passed over and told of", async () => {
  await using home = await homeWith({
    ".docker/config.json": { credsStore: "desktop" },
    ".config/containers/auth.json": { credHelpers: { "a.io": "../../bin/sh" } },
  });
  const { credential, tried } = await new Credentials({ env: home.env }).find("a.io", "app");
  assertEquals(credential, undefined);
  assertEquals(tried, [
    `${home.path}/.config/containers/auth.json (docker-credential-../../bin/sh is not installed)`,
    `${home.path}/.docker/config.json (docker-credential-desktop is not installed)`,
  ]);
});

Deno.test("a file that cannot be read is told to who needs it, and nothing of it quoted", async (t) => {
  const texts = {
    "it is not JSON": '{"auths":{"a.io":{"auth":"c2VjcmV0"}}',
    "it is not an object": '["c2VjcmV0"]',
    "its members are not objects": '{"auths":"c2VjcmV0"}',
  };
  for (const [why, text] of Object.entries(texts)) {
    await t.step(why, async () => {
      await using home = await homeWith({
        ".config/containers/auth.json": text,
        ".docker/config.json": { auths: { "b.io": auth("ann", "1") } },
      });
      const path = `${home.path}/.config/containers/auth.json`;
      assertEquals(await userFor("b.io", "app", home.env), "ann");
      const found = await new Credentials({ env: home.env }).find("a.io", "app");
      assertEquals(found.fault, { path, why });
      assertEquals(found.tried, [`${path} (${why})`, `${home.path}/.docker/config.json`]);
      assert(!Deno.inspect(found).includes("c2VjcmV0"), Deno.inspect(found));
    });
  }
});

Deno.test("a file that is named and not there is told", async () => {
  const env = { REGISTRY_AUTH_FILE: "/nowhere/auth.json" };
  const { tried } = await new Credentials({ env }).find("a.io", "app");
  assertEquals(tried, ["/nowhere/auth.json (it is not there)"]);
});

Deno.test("a file is read as docker and podman read it", async (t) => {
  const ann = auth("ann", "1");
  const found: Record<string, [text: unknown, host: string, user: string | undefined]> = {
    "an empty file": ["", "a.io", undefined],
    "blanks only": ["\n", "a.io", undefined],
    "null": ["null", "a.io", undefined],
    "a mark of its encoding": [
      `\uFEFF${JSON.stringify({ auths: { "a.io": ann } })}`,
      "a.io",
      "ann",
    ],
    "null for auths and helpers": [{ auths: null, credHelpers: null }, "a.io", undefined],
    "null for an entry": [{ auths: { "b.io": null, "a.io": ann } }, "a.io", "ann"],
    "a host in capitals": [{ auths: { "HTTPS://A.io/v2/": ann } }, "a.io", "ann"],
    "a trailing slash after a path": [{ auths: { "a.io/team/": ann } }, "a.io", "ann"],
    "today's key before an old one": [
      { auths: { "a.io": ann, "https://a.io/v1/": auth("old", "1") } },
      "a.io",
      "ann",
    ],
    "an old key where today's is empty": [
      { auths: { "a.io": {}, "https://a.io/v1/": ann } },
      "a.io",
      "ann",
    ],
    "Docker Hub's own host": [{ auths: { "registry-1.docker.io": ann } }, "docker.io", "ann"],
    "Docker Hub's own host as a URL": [
      { auths: { "https://registry-1.docker.io/v2/": ann } },
      "docker.io",
      "ann",
    ],
    "no colon": [{ auths: { "a.io": { auth: btoa("ann") } } }, "a.io", undefined],
    "no colon beside both": [
      { auths: { "a.io": { auth: btoa("?"), username: "ann", password: "1" } } },
      "a.io",
      "ann",
    ],
    "a helper that is no name": [
      { credHelpers: { "a.io": 7 }, auths: { "a.io": ann } },
      "a.io",
      "ann",
    ],
    "a helper without a name": [
      { credHelpers: { "a.io": "" }, auths: { "a.io": ann } },
      "a.io",
      "ann",
    ],
    "a helper that is not there": [
      { credHelpers: { "a.io": "none" }, auths: { "a.io": ann } },
      "a.io",
      "ann",
    ],
    "a store that is null": [{ credsStore: null, auths: { "a.io": ann } }, "a.io", "ann"],
  };
  for (const [name, [content, host, user]] of Object.entries(found)) {
    await t.step(name, async () => {
      await using home = await homeWith({ ".docker/config.json": content });
      assertEquals(await userFor(host, "team/app", home.env), user);
      const { fault } = await new Credentials({ env: home.env }).find(host, "team/app");
      assertEquals(fault, undefined);
    });
  }
});

Deno.test("variables named after the registry come first, those of CI systems last", async () => {
  await using home = await homeWith({
    ".docker/config.json": {
      auths: { "ghcr.io": auth("file", "1"), "gitlab.example.com:5050": auth("file", "1") },
    },
  });
  const own = { IMAGES_UP_STREAM_1_USERNAME: "own", IMAGES_UP_STREAM_1_PASSWORD: "1" };
  const registries = [{ name: "up-stream.1", prefix: "org" }];
  const find = async (host: string, repository: string, env: Record<string, string>) => {
    const { credential } = await new Credentials({ env, registries }).find(host, repository);
    return credential?.kind === "password" ? credential.user : undefined;
  };
  const github = { GITHUB_ACTOR: "actor", GITHUB_TOKEN: "1" };
  assertEquals(await find("ghcr.io", "org/app", { ...home.env, ...own, ...github }), "own");
  assertEquals(await find("ghcr.io", "other/app", { ...home.env, ...own, ...github }), "file");
  assertEquals(await find("ghcr.io", "org/app", { ...home.env, ...github }), "file");
  assertEquals(await find("ghcr.io", "org/app", github), "actor");
  assertEquals(await find("quay.io", "org/app", github), undefined);
  const gitlab = {
    CI_REGISTRY: "gitlab.example.com:5050",
    CI_REGISTRY_USER: "job",
    CI_REGISTRY_PASSWORD: "1",
    CI_DEPLOY_USER: "deploy",
    CI_DEPLOY_PASSWORD: "1",
  };
  const { CI_REGISTRY_PASSWORD: _, ...deploy } = gitlab;
  assertEquals(await find("gitlab.example.com:5050", "g/app", gitlab), "job");
  assertEquals(await find("gitlab.example.com:5050", "g/app", deploy), "deploy");
  assertEquals(await find("gitlab.example.com", "g/app", gitlab), undefined);
});

Deno.test("of two declared registries on a host the one with the longer path counts", async () => {
  const env = {
    IMAGES_ALL_USERNAME: "all",
    IMAGES_ALL_PASSWORD: "1",
    IMAGES_TEAM_USERNAME: "team",
    IMAGES_TEAM_PASSWORD: "1",
  };
  const registries = [{ name: "all", prefix: "" }, { name: "team", prefix: "org/team" }];
  const credentials = new Credentials({ env, registries });
  const find = async (repository: string) => {
    const { credential } = await credentials.find("a.io", repository);
    return credential?.kind === "password" ? credential.user : undefined;
  };
  assertEquals(await find("org/team/app"), "team");
  assertEquals(await find("org/teams/app"), "all");
});
