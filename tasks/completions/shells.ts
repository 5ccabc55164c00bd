/** Scripts of shells. Each asks the command line itself what may follow. */

import type { Candidate } from "./candidates.ts";

/** Shells that there is a script for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** One of them. */
export type Shell = typeof SHELLS[number];

/** A candidate as a shell's script reads it. */
export function written({ word, description }: Candidate, shell: Shell): string {
  if (shell === "bash" || description === undefined) return word;
  if (shell === "fish") return `${word}\t${description}`;
  return `${word.replace(/[\\:]/g, "\\$&")}:${description}`;
}

/** The script of a shell. */
export function scriptOf(shell: Shell): string {
  return SCRIPTS[shell];
}

/**
 * The command is `deno task [options] images`, or a function or program called `images`. What is in
 * front of the verb is run to ask, with the shell's name and what was typed. Whatever else `deno`
 * completes, it completes as before.
 */
const SCRIPTS: Record<Shell, string> = {
  bash: `# Completes \`deno task images\`, and \`images\` where there is one.
#   source <(deno task -q images completions bash)

# Answers for a command whose last word is the n-th.
_images_reply() {
  local at=$1 IFS=$'\\n'
  local typed=("\${COMP_WORDS[@]:at+1:COMP_CWORD-at}")
  local found=($("\${COMP_WORDS[@]:0:at+1}" completions bash "\${typed[@]/#/.}" 2>/dev/null))
  compopt +o nospace 2>/dev/null
  if [[ \${found[0]} == :files ]]; then compopt -o default 2>/dev/null
  else COMPREPLY=("\${found[@]}"); fi
}

_images_deno() {
  local at=2
  if [[ \${COMP_WORDS[1]} == task ]]; then
    while [[ \${COMP_WORDS[at]} == -* ]]; do
      case \${COMP_WORDS[at]} in
        --cwd | --config | -c) ((at++)); [[ \${COMP_WORDS[at]} == = ]] && ((at++)) ;;
      esac
      ((at++))
    done
    if [[ \${COMP_WORDS[at]} == images ]] && ((at < COMP_CWORD)); then
      _images_reply $at
      return 0
    fi
  fi
  if [[ -n $_images_deno_else ]]; then "$_images_deno_else" "$@"; fi
}

_images_alone() { _images_reply 0; }

_images_install() {
  declare -F _completion_loader >/dev/null && _completion_loader deno
  local before; before=$(complete -p deno 2>/dev/null)
  if [[ $before =~ ' -F '([^ ]+) ]]; then
    [[ \${BASH_REMATCH[1]} == _images_deno ]] && return
    _images_deno_else=\${BASH_REMATCH[1]}
    eval "\${before/ -F $_images_deno_else/ -F _images_deno}"
  else
    complete -o bashdefault -o default -F _images_deno deno
  fi
}
_images_install
complete -F _images_alone images`,

  zsh: `# Completes \`deno task images\`, and \`images\` where there is one.
#   source <(deno task -q images completions zsh)

(( $+functions[compdef] )) || { autoload -U compinit && compinit }

# Answers for a command whose last word is the n-th.
_images_reply() {
  local at=$1
  local -a typed found
  typed=("\${(@Q)words[at+1,CURRENT]}")
  found=("\${(@f)$("\${(@Q)words[1,at]}" completions zsh "\${(@)typed/#/.}" 2>/dev/null)}")
  if [[ $found[1] == :files ]]; then
    _files
  elif [[ -n $found[1] ]]; then
    _describe images found
  fi
}

_images_deno() {
  local at=3
  if [[ $words[2] == task ]]; then
    while [[ $words[at] == -* ]]; do
      [[ $words[at] == (--cwd|--config|-c) ]] && (( at++ ))
      (( at++ ))
    done
    if [[ $words[at] == images ]] && (( at < CURRENT )); then
      _images_reply $at
      return
    fi
  fi
  \${_images_deno_else:-_default} "$@"
}

_images_alone() { _images_reply 1 }

if [[ $_comps[deno] != _images_deno ]]; then
  _images_deno_else=$_comps[deno]
  compdef _images_deno deno
fi
compdef _images_alone images`,

  fish: `# Completes \`deno task images\`, and \`images\` where there is one.
#   deno task -q images completions fish | source

# Which word is \`images\` in \`deno task [options] images\`.
function __images_at
    set -l words (commandline -opc)
    test "$words[2]" = task; or return 1
    set -l at 3
    while string match -q -- '-*' "$words[$at]"
        contains -- "$words[$at]" --cwd --config -c; and set at (math $at + 1)
        set at (math $at + 1)
    end
    test "$words[$at]" = images; and echo $at
end

# Answers for a command whose last word is the n-th.
function __images_reply --argument-names at
    set -l words (commandline -opc)
    set -l typed
    test (count $words) -gt $at; and set typed $words[(math $at + 1)..-1]
    set -l found ($words[1..$at] completions fish .$typed .(commandline -ct) 2>/dev/null)
    if test "$found" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $found
    end
end

# What completes deno already is read when it is first asked, and would take the place of ours.
complete -C 'deno ' >/dev/null
complete -c deno -n __images_at -f -k -a '(__images_reply (__images_at))'
complete -c images -f -k -a '(__images_reply 1)'`,
};
