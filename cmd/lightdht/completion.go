package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/urfave/cli/v2"
)

func completionCommand() *cli.Command {
	return &cli.Command{
		Name:      "completion",
		Usage:     "print what makes a shell complete lightdht's commands and flags",
		ArgsUsage: "bash|zsh|fish",
		Description: "bash: source <(lightdht completion bash)\n" +
			"zsh:  source <(lightdht completion zsh)\n" +
			"fish: lightdht completion fish | source",
		BashComplete: func(c *cli.Context) { fmt.Fprintln(c.App.Writer, "bash\nzsh\nfish") },
		Action:       completion,
	}
}

// The words come from the program itself: it lists what may follow when its last
// argument is --generate-bash-completion.
const bashCompletion = `_lightdht() {
  local words=("${COMP_WORDS[@]:0:COMP_CWORD}")
  local current="${COMP_WORDS[COMP_CWORD]}"
  [[ "$current" == -* ]] && words+=("$current")
  COMPREPLY=($(compgen -W "$("${words[@]}" --generate-bash-completion 2>/dev/null)" -- "$current"))
}
complete -o default -F _lightdht lightdht
`

const zshCompletion = `autoload -U compinit && compinit
_lightdht() {
  local -a found
  local current="${words[CURRENT]}"
  local -a before=("${(@)words[1,CURRENT-1]}")
  [[ "$current" == -* ]] && before+=("$current")
  found=("${(@f)$("${before[@]}" --generate-bash-completion 2>/dev/null)}")
  compadd -- "${found[@]}"
  _files
}
compdef _lightdht lightdht
`

func completion(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("name one shell: bash, zsh or fish")
	}
	var script string
	switch shell := c.Args().First(); shell {
	case "bash":
		script = bashCompletion
	case "zsh":
		script = zshCompletion
	case "fish":
		var err error
		if script, err = c.App.ToFishCompletion(); err != nil {
			return err
		}
		script = strings.TrimRight(script, "\n") + "\n"
	default:
		return usagef("no completion for %q: want bash, zsh or fish", shell)
	}
	_, err := io.WriteString(c.App.Writer, script)
	if err != nil {
		return fmt.Errorf("completion: %w", err)
	}
	return nil
}
