/// The completion script of zsh.
enum ZshCompletion {
  static func script(_ table: CompletionTable) -> String {
    var cases = ""
    for context in table.contexts {
      let pattern = context.kernel.map { "\(context.verb)/\($0)" } ?? "\(context.verb)/"
      cases += "    \(pattern))\n      _arguments -S \\\n"
      for flag in context.flags { cases += "        \(specification(flag)) \\\n" }
      var rest = "_default"
      if !context.words.isEmpty {
        rest =
          context.takesFiles
          ? "{_values word \(context.words.joined(separator: " ")); _files}"
          : "(\(context.words.joined(separator: " ")))"
      } else if context.takesFiles {
        rest = "_files"
      }
      cases += "        '*:word:\(rest)'\n      ;;\n"
    }
    let kernels = table.contexts.compactMap { context in
      context.kernel.map { "      \(context.verb)/\($0)) kernel=\($0) ;;\n" }
    }
    let verbs = table.verbs.map { "    '\($0.verb):\(escaped($0.summary))'\n" }.joined()
    return """
      #compdef simctl
      # zsh completion of simctl
      _simctl() {
        local verb kernel='' word
        local -a verbs
        verbs=(
      \(verbs)  )
        if (( CURRENT == 2 )); then
          _describe verb verbs
          _arguments '--help[show the help]' '--version[show the version]'
          return
        fi
        verb=$words[2]
        for word in ${words[3,CURRENT-1]}; do
          case "$verb/$word" in
      \(kernels.isEmpty ? "      *) ;;\n" : kernels.joined())    esac
        done
        shift words
        (( CURRENT-- ))
        case "$verb/$kernel" in
      \(cases)  esac
      }
      compdef _simctl simctl

      """
  }

  private static func specification(_ flag: Flag) -> String {
    let prefix = flag.isRepeatable ? "*" : ""
    let start = "'\(prefix)--\(flag.name)"
    let help = "[\(escaped(flag.help))]"
    switch flag.value {
    case .none: return "\(start)\(help)'"
    case .text(let placeholder): return "\(start)=\(help):\(escaped(placeholder)):'"
    case .input(let placeholder), .output(let placeholder):
      return "\(start)=\(help):\(escaped(placeholder)):_files'"
    case .pairs(let names, let placeholder):
      let list = names.joined(separator: " ")
      return "\(start)=\(help):\(escaped(placeholder)):{compadd -S \"\" -- \(list)}'"
    case .words(let words, let placeholder, let open):
      let list = words.joined(separator: " ")
      let action = open ? "{_values value \(list); _files}" : "(\(list))"
      return "\(start)=\(help):\(escaped(placeholder)):\(action)'"
    }
  }

  private static func escaped(_ text: String) -> String {
    var escaped = ""
    for character in text {
      switch character {
      case "'": escaped += "'\\''"
      case "[", "]", ":", "\\": escaped += "\\\(character)"
      default: escaped.append(character)
      }
    }
    return escaped
  }
}
