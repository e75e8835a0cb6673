/// The completion scripts: each asks `omnictl __complete`, which knows the commands and the server that is meant.
enum CompletionScripts {
  /// bash breaks words at `=` and `:`; the command line tells which of its words belong together. Only what stands
  /// behind the last such character is replaced.
  static let bash = #"""
    _omnictl() {
      local rest="${COMP_LINE:0:COMP_POINT}" trimmed word i line broken
      local -a words=() found=()
      for ((i = 0; i <= COMP_CWORD; i++)); do
        trimmed="${rest#"${rest%%[![:space:]]*}"}"
        word="${COMP_WORDS[i]}"
        # The cursor may stand in the middle of a word.
        ((i == COMP_CWORD)) && word="${word:0:${#trimmed}}"
        if ((i > 0)) && [[ $rest == "$trimmed" ]]; then
          words[${#words[@]}-1]+="$word"
        else
          words+=("$word")
        fi
        rest="${trimmed#"$word"}"
      done
      COMPREPLY=()
      while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
          compopt -o filenames 2>/dev/null
          while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "${COMP_WORDS[COMP_CWORD]#=}")
          return
        fi
        found+=("${line%%$'\t'*}")
      done < <(omnictl __complete "${words[@]:1}" 2>/dev/null)
      word="${words[${#words[@]}-1]}"
      broken="${COMP_WORDBREAKS//[^=:]/}"
      [[ -n $broken && $word == *[$broken]* ]] && word="${word%"${word##*[$broken]}"}" || word=""
      for line in "${found[@]}"; do COMPREPLY+=("${line#"$word"}"); done
    }
    complete -F _omnictl omnictl

    """#

  static let zsh = #"""
    #compdef omnictl

    _omnictl() {
      local line
      local -a found
      for line in "${(@f)$(omnictl __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -z $line ]] && continue
        if [[ $line == ":files" ]]; then
          [[ $words[CURRENT] == -*=* ]] && compset -P '*='
          _files
          return
        fi
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
      done
      ((#found)) && _describe omnictl found
    }

    if [[ "$funcstack[1]" == _omnictl ]]; then
      _omnictl "$@"
    else
      compdef _omnictl omnictl
    fi

    """#

  static let fish = #"""
    function __omnictl_complete
      set -l words (commandline -opc)
      set -l current (commandline -ct)
      set -l found (omnictl __complete $words[2..-1] "$current" 2>/dev/null)
      if test "$found" = ":files"
        # A value behind = is offered with what stands before it.
        set -l prefix (string match -r -- '^-[^=]*=' "$current")
        for path in (__fish_complete_path (string replace -- "$prefix" '' "$current"))
          printf '%s%s\n' "$prefix" $path
        end
      else
        printf '%s\n' $found
      end
    end

    complete -c omnictl -e
    complete -c omnictl -f -a '(__omnictl_complete)'

    """#
}
