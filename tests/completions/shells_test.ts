import { assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { TestProject } from "../support/project.ts";
import { Terminal } from "../support/terminal.ts";
import { toolTest } from "../support/tools.ts";

const REPOSITORY = fromFileUrl(new URL("../..", import.meta.url)).replace(/\/$/, "");

/** How a shell is started on a project: something completes `deno`, and then ours comes. */
const SHELLS = {
  bash: {
    rc: "bashrc",
    script: `PS1='$ '
_deno() { COMPREPLY=($(compgen -W "fmt lint" -- "$2")); }
complete -F _deno -o default deno
source <(deno task -q images completions bash)
`,
    command: (folder: string) => ["bash", "--noprofile", "--rcfile", `${folder}/bashrc`, "-i"],
  },
  zsh: {
    rc: ".zshrc",
    script: `PS1='$ '
unsetopt PROMPT_SP
autoload -U compinit && compinit -u -D
_deno() { compadd fmt lint }
compdef _deno deno
source <(deno task -q images completions zsh)
`,
    command: () => ["zsh", "-i"],
  },
  fish: {
    rc: "fish/config.fish",
    script: `set -g fish_greeting
set -g fish_autosuggestion_enabled 0
function fish_prompt; echo -n '$ '; end
complete -c deno -f -n 'test (count (commandline -opc)) -eq 1' -a 'fmt lint'
deno task -q images completions fish | source
`,
    command: () => ["fish", "-i"],
  },
} as const;

/** What is typed before a Tab, and the line after it. */
const COMPLETED = [
  ["deno task images bu", "deno task images build"],
  ["deno task images build run", "deno task images build runner-dashboard"],
  ["deno task --quiet images build docs we", "deno task --quiet images build docs web"],
  ["deno task images build --keep", "deno task images build --keep-going"],
  ["deno task images build --output=te", "deno task images build --output=terminal"],
  ["deno task images build --file imag", "deno task images build --file images.ts"],
  ["images load run", "images load runner-dashboard"],
  // What was there before.
  ["deno fm", "deno fmt"],
] as const;

async function shellProject(): Promise<TestProject> {
  const project = await TestProject.create({
    "deno.json": JSON.stringify({
      tasks: {
        images: `deno run -A -q --config=${REPOSITORY}/deno.json ${REPOSITORY}/tasks/main.ts`,
      },
    }),
  });
  project.define(`{

    images: {
      "runner-dashboard": files({ layers: [] }),
      docs: files({ layers: [] }),
    },
    groups: { web: ["runner-dashboard", "docs"] },
  }`);
  return project;
}

for (const [name, { rc, script, command }] of Object.entries(SHELLS)) {
  toolTest(["tmux", name], `${name} completes verbs, options, values and names`, async (t) => {
    await using project = await shellProject();
    const home = project.beside("home");
    Deno.mkdirSync(`${home}/fish`, { recursive: true });
    Deno.writeTextFileSync(`${home}/${rc}`, script);
    // A function is a way to have a short name.
    const short = name === "fish"
      ? "function images; deno task -q images $argv; end\n"
      : 'images() { deno task -q images "$@"; }\n';
    Deno.writeTextFileSync(`${home}/${rc}`, short, { append: true });
    await using terminal = await Terminal.start(command(home), {
      cwd: project.root,
      columns: 100,
      env: {
        HOME: home,
        ZDOTDIR: home,
        XDG_CONFIG_HOME: home,
        XDG_DATA_HOME: home,
      },
    });
    const lastLine = (screen: string) => screen.split("\n").at(-1) ?? "";
    await terminal.until((screen) => lastLine(screen).startsWith("$"));
    for (const [typed, completed] of COMPLETED) {
      await t.step(typed, async () => {
        await terminal.press(`'${typed}'`, "Tab");
        await terminal.until((screen) => lastLine(screen) === `$ ${completed}`);
        await terminal.press("C-u");
        await terminal.until((screen) => lastLine(screen) === "$");
      });
    }

    await t.step("what is not known yet is listed", async () => {
      await terminal.press("'deno task images pr'", "Tab", "Tab");
      const listed = (screen: string) =>
        ["promote", "prune"].every((verb) => screen.includes(verb)) && !screen.includes("push");
      assertEquals(listed(await terminal.until(listed)), true);
    });
  });
}
