/// A flag, declared once: the parser, help, completion and docs/cli.md all read it from here.
struct Flag: Sendable {
  /// What follows the flag.
  enum Value: Sendable, Hashable {
    /// Nothing: the flag is a switch.
    case none
    /// Free text; the placeholder stands for it in help.
    case text(String)
    /// One of a list of words, or with `open`, anything else too.
    case words([String], placeholder: String, open: Bool)
    /// Pairs `NAME=VALUE`, with the names that are known.
    case pairs([String], placeholder: String)
    /// A file or folder that is read, or written.
    case input(String), output(String)

    /// What stands for the value in help; `nil` for a switch.
    var placeholder: String? {
      switch self {
      case .none: nil
      case .text(let placeholder), .input(let placeholder), .output(let placeholder): placeholder
      case .words(_, let placeholder, _), .pairs(_, let placeholder): placeholder
      }
    }
  }

  /// What a command line must name for the flag to mean something.
  enum Scope: Sendable, Hashable {
    case anything, kernels, texts
  }

  /// The name without its dashes.
  var name: String
  var value: Value
  /// One line of help.
  var help: String
  /// The default as help prints it.
  var standard: String?
  /// Whether the flag may be given several times.
  var isRepeatable = false
  var scope: Scope

  init(
    _ name: String, _ value: Value = .none, _ help: String, standard: String? = nil,
    isRepeatable: Bool = false, scope: Scope = .anything
  ) {
    self.name = name
    self.value = value
    self.help = help
    self.standard = standard
    self.isRepeatable = isRepeatable
    self.scope = scope
  }

  /// The flag as help shows it: `--kv N`.
  var usage: String { value.placeholder.map { "--\(name) \($0)" } ?? "--\(name)" }

  /// Accepted by every verb.
  static let help = Flag("help", .none, "show this help")
}

/// Flags that belong together, under one heading of the help.
struct FlagGroup: Sendable {
  var title: String
  var flags: [Flag]

  init(_ title: String, _ flags: [Flag]) {
    self.title = title
    self.flags = flags
  }

  /// The group without the flags that belong to something else.
  func only(_ scope: Flag.Scope) -> FlagGroup {
    FlagGroup(title, flags.filter { $0.scope == scope || $0.scope == .anything })
  }
}
