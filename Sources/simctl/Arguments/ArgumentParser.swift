import NPUSim

/// Takes command lines apart: `--flag value`, `--flag=value`, switches, words, and `--`, after
/// which everything is a word.
struct ArgumentParser {
  /// What the messages call the command, such as `simctl run softmax_v`.
  let command: String
  let flags: [Flag]
  /// How many words the command takes at most; `nil` is any number.
  let maximumWords: Int?

  init(command: String, flags: [Flag], maximumWords: Int?) {
    self.command = command
    self.flags = flags
    self.maximumWords = maximumWords
  }

  /// Checks names, values and counts.
  ///
  /// - Throws: `.usage` that says what was found, what was needed and what may have been meant.
  func parse(_ tokens: [String]) throws(NPUError) -> ParsedArguments {
    var result = ParsedArguments()
    var index = 0
    while index < tokens.count {
      let token = tokens[index]
      index += 1
      if token == "--" {
        result.words += tokens[index...]
        break
      }
      guard Self.isFlag(token) else {
        result.words.append(token)
        continue
      }
      let (name, inline) = Self.split(token)
      guard let flag = flags.first(where: { $0.name == name }) else { throw unknown(token, name) }
      let value = try self.value(of: flag, inline: inline, tokens, &index)
      if !flag.isRepeatable, let earlier = result.values[name]?.last {
        guard flag.value != .none else { continue }
        throw NPUError(
          .usage, "--\(name) is given twice, as '\(earlier)' and '\(value)'",
          hint: "keep one of them")
      }
      result.values[name, default: []].append(value)
    }
    if let maximumWords, result.words.count > maximumWords {
      throw NPUError(
        .usage, "\(command) takes nothing that '\(result.words[maximumWords])' could be",
        hint: "see '\(command) --help'")
    }
    return result
  }

  /// The first word of a command line, for commands whose flags depend on it. Only `flags` that
  /// take a value are followed by one.
  static func firstWord(of tokens: [String], flags: [Flag]) -> String? {
    var index = 0
    while index < tokens.count {
      let token = tokens[index]
      index += 1
      if token == "--" { return index < tokens.count ? tokens[index] : nil }
      guard isFlag(token) else { return token }
      let (name, inline) = split(token)
      let takesValue = flags.contains { $0.name == name && $0.value != .none }
      if inline == nil, takesValue { index += 1 }
    }
    return nil
  }

  /// The value of a flag: inline, or the next token.
  private func value(
    of flag: Flag, inline: String?, _ tokens: [String], _ index: inout Int
  ) throws(NPUError) -> String {
    guard let placeholder = flag.value.placeholder else {
      if let inline {
        throw NPUError(
          .usage, "--\(flag.name) takes no value, found '\(inline)'",
          hint: "write --\(flag.name) alone")
      }
      return ""
    }
    var value = inline ?? ""
    if inline == nil {
      guard index < tokens.count, !tokens[index].hasPrefix("--") else {
        let found = index < tokens.count ? "found '\(tokens[index])'" : "found nothing"
        throw NPUError(
          .usage, "--\(flag.name) needs a value, \(found)", hint: "write \(flag.usage)")
      }
      value = tokens[index]
      index += 1
    }
    guard !value.isEmpty else {
      throw NPUError(
        .usage, "--\(flag.name) needs a value, found an empty one",
        hint: "write --\(flag.name) \(placeholder)")
    }
    switch flag.value {
    case .input, .output: if Self.standardStreams.contains(value) { return "-" }
    case .none, .text, .words, .pairs: break
    }
    if case .words(let words, _, open: false) = flag.value, !words.contains(value) {
      throw NPUError(
        .usage, "--\(flag.name) needs one of \(words.joined(separator: ", ")), found '\(value)'",
        hint: DidYouMean.suggest(value, among: words).map { "did you mean \($0)?" })
    }
    return value
  }

  /// Other names of standard input and output.
  private static let standardStreams = [
    "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1",
  ]

  private func unknown(_ token: String, _ name: String) -> NPUError {
    guard token.hasPrefix("--") else {
      return NPUError(
        .usage, "\(command) has no flag \(token)",
        hint: "flags start with two dashes; see '\(command) --help'")
    }
    let near = DidYouMean.suggest(name, among: flags.map(\.name))
    return NPUError(
      .usage, "\(command) has no flag --\(name)",
      hint: near.map { "did you mean --\($0)?" } ?? "see '\(command) --help'")
  }

  /// Whether a token is a flag: a lone dash and negative numbers are words.
  private static func isFlag(_ token: String) -> Bool {
    guard token.hasPrefix("-"), token != "-" else { return false }
    return token.hasPrefix("--") || Double(token) == nil
  }

  /// The name and inline value of a flag; `-h` is `--help`.
  private static func split(_ token: String) -> (name: String, inline: String?) {
    if token == "-h" { return ("help", nil) }
    guard token.hasPrefix("--") else { return (token, nil) }
    let body = token.dropFirst(2)
    guard let equals = body.firstIndex(of: "=") else { return (String(body), nil) }
    return (String(body[..<equals]), String(body[body.index(after: equals)...]))
  }
}
