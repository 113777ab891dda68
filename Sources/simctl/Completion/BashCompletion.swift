/// The completion script of bash.
enum BashCompletion {
  static func script(_ table: CompletionTable) -> String {
    let verbs = table.verbs.map(\.verb).joined(separator: " ")
    var values = ""
    var flags = ""
    var words = ""
    for context in table.contexts {
      let pattern = context.kernel.map { "\(context.verb)/\($0)" } ?? "\(context.verb)/"
      flags +=
        "    \(pattern)) flags='\(context.flags.map { "--\($0.name)" }.joined(separator: " "))' ;;\n"
      if context.kernel == nil, !context.words.isEmpty {
        words += "    \(context.verb)) words='\(context.words.joined(separator: " "))' ;;\n"
      }
      for flag in context.flags {
        switch flag.value {
        case .none: continue
        case .text: values += "    \(pattern)/--\(flag.name)) return ;;\n"
        case .input, .output: values += "    \(pattern)/--\(flag.name)) files=1 ;;\n"
        case .words(let choices, _, let open):
          values += "    \(pattern)/--\(flag.name)) values='\(choices.joined(separator: " "))'"
          values += open ? "; files=1 ;;\n" : " ;;\n"
        case .pairs(let names, _) where names.isEmpty:
          values += "    \(pattern)/--\(flag.name)) return ;;\n"
        case .pairs(let names, _):
          values += "    \(pattern)/--\(flag.name)) values='\(names.joined(separator: " "))'; "
          values += "compopt -o nospace 2>/dev/null ;;\n"
        }
      }
    }
    return """
      # bash completion of simctl
      _simctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
        local verb=${COMP_WORDS[1]} kernel='' flags='' words='' values='' files='' word index
        COMPREPLY=()
        if [ "$COMP_CWORD" -eq 1 ]; then
          COMPREPLY=($(compgen -W '\(verbs) --help --version' -- "$cur"))
          return
        fi
        for ((index = 2; index < COMP_CWORD; index++)); do
          case "$verb/${COMP_WORDS[index]}" in
      \(kernelCases(table))    esac
        done
        case "$verb/$kernel/$prev" in
      \(values)  esac
        if [ -n "$values$files" ]; then
          COMPREPLY=($(compgen -W "$values" -- "$cur"))
          [ -n "$files" ] && COMPREPLY+=($(compgen -f -- "$cur"))
          return
        fi
        case "$verb/$kernel" in
      \(flags)  esac
        case "$verb" in
      \(words)  esac
        if [ "${cur#-}" != "$cur" ]; then
          COMPREPLY=($(compgen -W "$flags" -- "$cur"))
        else
          [ -z "$kernel" ] && COMPREPLY=($(compgen -W "$words" -- "$cur"))
          COMPREPLY+=($(compgen -f -- "$cur"))
        fi
      }
      complete -o filenames -F _simctl simctl

      """
  }

  private static func kernelCases(_ table: CompletionTable) -> String {
    let cases = table.contexts.compactMap { context in
      context.kernel.map { "      \(context.verb)/\($0)) kernel=\($0) ;;\n" }
    }
    return cases.isEmpty ? "      *) ;;\n" : cases.joined()
  }
}
