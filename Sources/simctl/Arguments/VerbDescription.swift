/// What help, completion and docs/cli.md know of a verb.
struct VerbDescription: Sendable {
  /// A command line and what it does.
  struct Example: Sendable {
    var command: String
    var meaning: String

    init(_ command: String, _ meaning: String) {
      self.command = command
      self.meaning = meaning
    }
  }

  var name: String
  /// One line.
  var summary: String
  var examples: [Example]
  /// The forms of the command line, without `simctl`.
  var usage: [String]
  var groups: [FlagGroup] = []
  /// Paragraphs below the flags, each wrapped already.
  var notes: [String] = []
  /// What the first word may be, for completion.
  var words: [String] = []
  /// Whether a word may be a file, for completion.
  var takesFiles = false
  /// How many words it takes at most; `nil` is any number.
  var maximumWords: Int? = 0
  /// Works, but is not listed.
  var isHidden = false
}
