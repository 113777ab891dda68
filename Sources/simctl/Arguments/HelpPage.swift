/// The help of a verb, or of a verb and a kernel: examples first.
struct HelpPage: Sendable {
  var title: String
  var examples: [VerbDescription.Example]
  var usage: [String]
  var groups: [FlagGroup]
  /// Sections between the usage and the flags: a heading and ready lines.
  var sections: [(title: String, lines: String)] = []
  var notes: [String]

  /// The page of a verb.
  init(_ verb: VerbDescription) {
    title = "simctl \(verb.name): \(verb.summary)"
    examples = verb.examples
    usage = verb.usage
    groups = verb.groups
    notes = verb.notes
  }

  /// The page as plain text, ending with a line break.
  var text: String {
    var text = title + "\n"
    if !examples.isEmpty {
      var table = TextTable([.left, .left], indent: "  ")
      for example in examples { table.row([example.command, example.meaning]) }
      text += "\nExamples:\n" + table.text
    }
    text += "\nUsage:\n" + usage.map { "  simctl \($0)\n" }.joined()
    for section in sections { text += "\n\(section.title):\n" + section.lines }
    for group in groups where !group.flags.isEmpty {
      var table = TextTable([.left, .left], indent: "  ")
      for flag in group.flags {
        let standard = flag.standard.map { " [\($0)]" } ?? ""
        table.row([flag.usage, flag.help + standard])
      }
      text += "\n\(group.title):\n" + table.text
    }
    for note in notes { text += "\n" + note + "\n" }
    return text
  }
}
