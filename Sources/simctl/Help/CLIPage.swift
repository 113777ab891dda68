import NPUKernels
import NPUSim

/// docs/cli.md, made from the tables that the command itself uses.
enum CLIPage {
  static func text(_ verbs: [any Verb.Type]) throws(NPUError) -> String {
    var text = """
      # The command

      This page is generated: `simctl docs cli` prints it, and a test keeps the two equal. Each
      block is what `--help` prints.

      ```
      \(Overview.text(verbs))```

      """
    for verb in verbs where !verb.description.isHidden {
      text += "\n## simctl \(verb.description.name)\n\n"
      text += "```\n\(try verb.help(for: []).text)```\n"
    }
    return text
  }
}
