import NPUSim

/// The files that a command line reads and writes: each is written once, and not while it is read.
struct FileUses {
  private struct Use {
    /// What names it: a flag, or `the program`.
    var label: String
    var path: String
    var isWritten: Bool

    /// The stream that `-` stands for.
    var stream: String { isWritten ? "standard output" : "standard input" }
  }

  private var uses: [Use] = []

  /// The files of the flags that are given, and those of `words`, which are read.
  init(_ arguments: ParsedArguments, flags: [Flag], words: [String]) {
    uses = words.map { Use(label: "the program", path: $0, isWritten: false) }
    for flag in flags {
      for value in arguments.all(flag.name) {
        switch flag.value {
        case .input: uses.append(Use(label: "--\(flag.name)", path: value, isWritten: false))
        case .output: uses.append(Use(label: "--\(flag.name)", path: value, isWritten: true))
        case .words(let words, _, open: true) where !words.contains(value):
          uses.append(Use(label: "--\(flag.name)", path: value, isWritten: false))
        case .none, .text, .words, .pairs: break
        }
      }
    }
  }

  /// - Throws: `.usage` for two outputs at one place, an output over a file that is read, and a standard
  ///   stream that is wanted twice.
  func check() throws(NPUError) {
    for (index, use) in uses.enumerated() {
      for other in uses[..<index] {
        if use.path == "-" || other.path == "-" {
          guard use.path == other.path, use.isWritten == other.isWritten else { continue }
          throw NPUError(
            .usage,
            "\(other.label) and \(use.label) cannot both \(use.isWritten ? "go to" : "come from") "
              + use.stream,
            hint: "give one of them a file")
        }
        guard use.isWritten || other.isWritten, Self.isOnePlace(use, other) else { continue }
        let spelling = use.path == other.path ? use.path : "\(other.path) and \(use.path)"
        throw NPUError(
          .usage,
          use.isWritten && other.isWritten
            ? "\(other.label) and \(use.label) would both write \(spelling)"
            : "\((use.isWritten ? use : other).label) would overwrite what "
              + "\((use.isWritten ? other : use).label) reads: \(spelling)",
          hint: "give the output a name of its own")
      }
    }
  }

  /// Whether both are one file, or one is written into the folder that the other reads.
  private static func isOnePlace(_ a: Use, _ b: Use) -> Bool {
    guard let first = FileIdentity(a.path), let second = FileIdentity(b.path) else { return false }
    if first == second { return true }
    if a.isWritten, !b.isWritten { return FileIdentity.folder(of: a.path) == second }
    if b.isWritten, !a.isWritten { return FileIdentity.folder(of: b.path) == first }
    return false
  }
}
