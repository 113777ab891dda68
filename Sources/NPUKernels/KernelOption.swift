import NPUSim

/// A flag of a kernel: a shape, a choice or a switch.
public struct KernelOption: Sendable, Hashable {
  /// What values the flag takes.
  public enum Kind: Sendable, Hashable {
    /// A whole number of at least `minimum`; `standard` is `nil` where another flag decides.
    case integer(standard: Int?, minimum: Int)
    /// One of a list of words, the first being the default.
    case choice([String])
    /// Present or absent.
    case flag
    /// A real number.
    case real(standard: Double)
  }

  /// The name without dashes, as typed: `kv-heads`.
  public var name: String
  public var kind: Kind
  /// One line of help.
  public var help: String
  /// The default as help prints it, where another flag decides it.
  public var standardText: String?

  public init(_ name: String, _ kind: Kind, _ help: String, standardText: String? = nil) {
    self.name = name
    self.kind = kind
    self.help = help
    self.standardText = standardText
  }
}

/// The values of a kernel's flags as the user gave them, checked against its options.
public struct KernelArguments: Sendable {
  private var values: [String: String] = [:]
  private let kernel: String
  private let options: [KernelOption]

  /// Checks names and values. Throws `.usage` with a suggestion for an unknown name, and with what
  /// is needed for a bad value.
  public init(kernel: String, options: [KernelOption], values: [String: String]) throws(NPUError) {
    self.kernel = kernel
    self.options = options
    for (name, value) in values.sorted(by: { $0.key < $1.key }) {
      guard let option = options.first(where: { $0.name == name }) else {
        let near = DidYouMean.suggest(name, among: options.map(\.name))
        throw NPUError(
          .usage, "\(kernel) has no flag --\(name)",
          hint: near.map { "did you mean --\($0)?" } ?? "see 'simctl run \(kernel) --help'")
      }
      try Self.check(option, value)
      self.values[name] = value
    }
  }

  private static func check(_ option: KernelOption, _ value: String) throws(NPUError) {
    switch option.kind {
    case .integer(_, let minimum):
      guard let number = Int(value) else {
        throw NPUError(
          .usage, "--\(option.name) needs a whole number, found '\(value)'",
          hint: "for example --\(option.name) \(max(minimum, 128))")
      }
      guard number >= minimum else {
        throw NPUError(.usage, "--\(option.name) needs at least \(minimum), found \(number)")
      }
    case .choice(let words):
      guard words.contains(value) else {
        let near = DidYouMean.suggest(value, among: words)
        throw NPUError(
          .usage,
          "--\(option.name) needs one of \(words.joined(separator: ", ")), found '\(value)'",
          hint: near.map { "did you mean \($0)?" })
      }
    case .flag:
      guard value == "true" else {
        throw NPUError(.usage, "--\(option.name) takes no value, found '\(value)'")
      }
    case .real:
      guard let number = Double(value), number.isFinite else {
        throw NPUError(.usage, "--\(option.name) needs a number, found '\(value)'")
      }
    }
  }

  /// The value of an integer flag, its default, or `fallback` where another flag decides.
  public func integer(_ name: String, otherwise fallback: Int = 0) -> Int {
    if let text = values[name], let number = Int(text) { return number }
    if let option = options.first(where: { $0.name == name }),
      case .integer(let standard, _) = option.kind, let standard
    {
      return standard
    }
    return fallback
  }

  /// The value of a choice, or its default: the first word.
  public func choice(_ name: String) -> String {
    if let text = values[name] { return text }
    if let option = options.first(where: { $0.name == name }),
      case .choice(let words) = option.kind
    {
      return words.first ?? ""
    }
    return ""
  }

  /// Throws `.usage` where an option is given that has no effect beside the others, with what it
  /// needs: an option that is silently ignored answers another question than the one asked.
  public func refuse(_ name: String, unless isUsed: Bool, needs: String) throws(NPUError) {
    guard values[name] != nil, !isUsed else { return }
    throw NPUError(
      .usage, "--\(name) has no effect here: it needs \(needs)",
      hint: "add that, or leave --\(name) out")
  }

  /// Whether a switch is given.
  public func flag(_ name: String) -> Bool { values[name] != nil }

  /// The value of a real flag, or its default.
  public func real(_ name: String) -> Double {
    if let text = values[name], let number = Double(text) { return number }
    if let option = options.first(where: { $0.name == name }),
      case .real(let standard) = option.kind
    {
      return standard
    }
    return 0
  }
}
