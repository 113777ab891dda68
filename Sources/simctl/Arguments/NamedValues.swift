import NPUSim

/// What stands after a flag that is given once for each name: `--param kv=256`.
enum NamedValues {
  /// Names and what they are given, in the order of the command line.
  ///
  /// - Parameter example: a name with a value, for hints.
  /// - Throws: `.usage` for a text without a name, and for a name that is given twice.
  static func of(
    _ flag: String, _ arguments: ParsedArguments, example: String
  ) throws(NPUError) -> [(name: String, text: String)] {
    var result: [(name: String, text: String)] = []
    for text in arguments.all(flag) {
      guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
        throw NPUError(
          .usage, "--\(flag) needs a name and a value, found '\(text)'",
          hint: "for example --\(flag) \(example)")
      }
      let name = String(text[..<equals])
      if let earlier = result.first(where: { $0.name == name }) {
        throw NPUError(
          .usage, "--\(flag) \(name) is given twice, the first time as '\(earlier.text)'",
          hint: "keep one of them")
      }
      result.append((name, String(text[text.index(after: equals)...])))
    }
    return result
  }
}
