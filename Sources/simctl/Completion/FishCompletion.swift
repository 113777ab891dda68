/// The completion script of fish.
enum FishCompletion {
  static func script(_ table: CompletionTable) -> String {
    var text = "# fish completion of simctl\ncomplete -c simctl -f\n"
    for verb in table.verbs {
      text +=
        "complete -c simctl -n __fish_use_subcommand -a \(verb.verb) -d \(quoted(verb.summary))\n"
    }
    for context in table.contexts {
      var condition = "__fish_seen_subcommand_from \(context.verb)"
      if let kernel = context.kernel { condition += "; and __fish_seen_subcommand_from \(kernel)" }
      let start = "complete -c simctl -n \(quoted(condition))"
      for word in context.words { text += "\(start) -a \(quoted(word))\n" }
      if context.takesFiles, context.kernel == nil { text += "\(start) -F\n" }
      for flag in context.flags {
        text += "\(start) -l \(flag.name) -d \(quoted(flag.help))"
        switch flag.value {
        case .none: break
        case .text: text += " -x"
        case .input, .output: text += " -r -F"
        case .pairs(let names, _): text += " -x -a \(quoted(names.joined(separator: " ")))"
        case .words(let words, _, let open):
          text += (open ? " -r -F" : " -x") + " -a \(quoted(words.joined(separator: " ")))"
        }
        text += "\n"
      }
    }
    return text
  }

  private static func quoted(_ text: String) -> String {
    var quoted = "'"
    for character in text {
      if character == "'" || character == "\\" { quoted.append("\\") }
      quoted.append(character)
    }
    return quoted + "'"
  }
}
