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
        guard let action = action(flag.value) else { continue }
        values += "    \(pattern)/--\(flag.name)) \(action) ;;\n"
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

  /// What is offered behind a flag; `nil` for one that takes no value.
  private static func action(_ value: Flag.Value) -> String? {
    switch value {
    case .none: nil
    case .text: "return"
    case .input, .output: "files=1"
    case .words(let choices, _, let isOpen):
      "values='\(choices.joined(separator: " "))'" + (isOpen ? "; files=1" : "")
    case .pairs(let names, _):
      names.isEmpty
        ? "return"
        : "values='\(names.joined(separator: " "))'; compopt -o nospace 2>/dev/null"
    }
  }

  private static func kernelCases(_ table: CompletionTable) -> String {
    let cases = table.contexts.compactMap { context in
      context.kernel.map { "      \(context.verb)/\($0)) kernel=\($0) ;;\n" }
    }
    return cases.isEmpty ? "      *) ;;\n" : cases.joined()
  }
}
