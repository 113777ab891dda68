import NPUKernels
import NPUSim

/// What can be completed, from the tables that parse the command line.
struct CompletionTable {
  /// A verb, or a verb and the kernel after it.
  struct Context {
    var verb: String
    /// `nil` before a kernel is named, and for verbs that take none.
    var kernel: String?
    var summary: String
    var flags: [Flag]
    /// What the first word may be.
    var words: [String]
    var takesFiles: Bool
  }

  /// One for each verb, each followed by one for each kernel that the verb takes.
  var contexts: [Context] = []

  init(_ verbs: [any Verb.Type]) throws(NPUError) {
    for verb in verbs where !verb.description.isHidden {
      let description = verb.description
      let flags = try verb.groups(for: []).flatMap(\.flags) + [Flag.help]
      contexts.append(
        Context(
          verb: description.name, kernel: nil, summary: description.summary, flags: flags,
          words: description.words, takesFiles: description.takesFiles))
      for name in Catalog.names where description.words.contains(name) {
        let kernel = try Catalog.kernel(named: name)
        contexts.append(
          Context(
            verb: description.name, kernel: name, summary: kernel.summary,
            flags: try verb.groups(for: [name]).flatMap(\.flags) + [Flag.help], words: [],
            takesFiles: description.takesFiles))
      }
    }
  }

  /// The verbs alone.
  var verbs: [Context] { contexts.filter { $0.kernel == nil } }
}
