import NPUSim

/// Reads the values of `simctl numerics`: decimals, or words of a format.
struct NumberReader {
  /// The format of words; `nil` when none was named.
  let format: ScalarFormat?

  /// The FP32 value of one word of the command line.
  ///
  /// - Throws: `.usage` for what is neither a number nor a word of the format.
  func value(_ text: String) throws(NPUError) -> Float {
    if text.hasPrefix("0x") || text.hasPrefix("0X"), !text.contains("p"), !text.contains("P") {
      return try word(text)
    }
    guard let value = Self.decimal(text) else {
      throw NPUError(
        .usage, "'\(text)' is not a number",
        hint: "write a decimal such as 0.1, or a word such as 0x3dcd with --from bf16")
    }
    if let format {
      throw NPUError(
        .usage, "--from \(format.rawValue) needs a hexadecimal word, found '\(text)'",
        hint: "for example 0x\(String(repeating: "3", count: format.digits))")
    }
    return value
  }

  private func word(_ text: String) throws(NPUError) -> Float {
    let digits = text.dropFirst(2)
    guard let format else {
      throw NPUError(
        .usage, "\(text) is a word, but of which format?",
        hint: "add --from bf16, or another of "
          + ScalarFormat.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard let word = UInt32(digits, radix: 16), digits.count <= format.digits else {
      throw NPUError(
        .usage,
        "\(text) is not a word of \(format.rawValue), which has \(format.digits) hexadecimal digits"
      )
    }
    return format.value(word)
  }

  /// A decimal, rounded to FP32 once; `inf` and `nan` are known.
  private static func decimal(_ text: String) -> Float? { Float(text) }
}
