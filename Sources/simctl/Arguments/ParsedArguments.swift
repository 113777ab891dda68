import NPUSim

/// What stands on a command line, taken apart: words, and the values of flags.
struct ParsedArguments: Sendable {
  /// The words that belong to no flag, in order.
  var words: [String] = []
  /// The values of each flag given, in order; a switch has one empty value.
  var values: [String: [String]] = [:]

  /// Whether a flag is given.
  func has(_ name: String) -> Bool { values[name] != nil }

  /// The value of a flag, if it is given.
  func value(_ name: String) -> String? { values[name]?.last }

  /// Every value of a repeatable flag.
  func all(_ name: String) -> [String] { values[name] ?? [] }

  /// The value of a flag that takes a whole number.
  ///
  /// - Throws: `.usage` when it is not one, or below `minimum`.
  func integer(
    _ name: String, minimum: Int, otherwise standard: Int
  ) throws(NPUError) -> Int {
    guard let text = value(name) else { return standard }
    guard let number = Int(text) else {
      throw NPUError(
        .usage, "--\(name) needs a whole number, found '\(text)'",
        hint: "for example --\(name) \(max(minimum, standard))")
    }
    guard number >= minimum else {
      throw NPUError(.usage, "--\(name) needs at least \(minimum), found \(number)")
    }
    return number
  }

  /// The value of a flag that takes a real number of at least 0.
  ///
  /// - Throws: `.usage` when it is not one.
  func real(_ name: String, otherwise standard: Double) throws(NPUError) -> Double {
    guard let text = value(name) else { return standard }
    guard let number = Double(text), number.isFinite, number >= 0 else {
      throw NPUError(
        .usage, "--\(name) needs a number of at least 0, found '\(text)'",
        hint: "for example --\(name) 0.01")
    }
    return number
  }

  /// The value of a flag that takes an unsigned 64-bit number.
  ///
  /// - Throws: `.usage` when it is not one.
  func seed(_ name: String, otherwise standard: UInt64) throws(NPUError) -> UInt64 {
    guard let text = value(name) else { return standard }
    guard let number = UInt64(text) else {
      throw NPUError(
        .usage, "--\(name) needs a whole number from 0 to 2^64 - 1, found '\(text)'",
        hint: "for example --\(name) 7")
    }
    return number
  }
}
