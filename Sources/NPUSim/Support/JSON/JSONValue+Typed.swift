// Typed access: each function takes the value for what it must be, or says what it is instead.
// `what` is the subject of the message, such as `vector.lanes`.

extension JSONValue {
  /// The text of a string.
  public func requireString(
    _ what: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> String {
    guard case .string(let text) = content else { throw mismatch(what, "a string", category) }
    return text
  }

  /// True or false.
  public func requireBool(
    _ what: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> Bool {
    guard case .bool(let flag) = content else { throw mismatch(what, "true or false", category) }
    return flag
  }

  /// A number, kept exactly.
  public func requireNumber(
    _ what: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> JSONNumber {
    guard case .number(let number) = content else { throw mismatch(what, "a number", category) }
    return number
  }

  /// An integral number inside `range`.
  public func requireInt(
    _ what: String, in range: ClosedRange<Int> = Int.min...Int.max,
    category: NPUError.Category = .parse
  ) throws(NPUError) -> Int {
    guard case .number(let number) = content, let wide = number.integer,
      let value = Int(exactly: wide), range.contains(value)
    else { throw mismatch(what, Self.describe(range), category) }
    return value
  }

  /// A number inside `range`, as the nearest double.
  public func requireDouble(
    _ what: String,
    in range: ClosedRange<Double> = -Double
      .greatestFiniteMagnitude...Double
      .greatestFiniteMagnitude,
    category: NPUError.Category = .parse
  ) throws(NPUError) -> Double {
    guard case .number(let number) = content, range.contains(number.double) else {
      let bounded = range.upperBound < .greatestFiniteMagnitude
      let needed =
        bounded
        ? "a number from \(range.lowerBound) to \(range.upperBound)"
        : range.lowerBound > -.greatestFiniteMagnitude
          ? "a number, at least \(range.lowerBound)" : "a number"
      throw mismatch(what, needed, category)
    }
    return number.double
  }

  /// The elements of an array.
  public func requireArray(
    _ what: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> [JSONValue] {
    guard case .array(let elements) = content else { throw mismatch(what, "an array", category) }
    return elements
  }

  /// The members of an object, in the order written.
  public func requireMembers(
    _ what: String, category: NPUError.Category = .parse
  ) throws(NPUError) -> [JSONMember] {
    guard case .object(let members) = content else { throw mismatch(what, "an object", category) }
    return members
  }

  /// A string that names a case of an enumeration.
  public func requireCase<Choice: RawRepresentable<String> & CaseIterable>(
    _ what: String, of type: Choice.Type = Choice.self, category: NPUError.Category = .parse
  ) throws(NPUError) -> Choice {
    let text = try requireString(what, category: category)
    guard let choice = Choice(rawValue: text) else {
      throw NPUError(
        category, "\(what) is \(summary), which is not one of its choices", at: location,
        hint: DidYouMean.hint(for: text, among: Choice.allCases.map(\.rawValue)))
    }
    return choice
  }

  private func mismatch(
    _ what: String, _ needed: String, _ category: NPUError.Category
  ) -> NPUError {
    NPUError(category, "\(what) is \(summary); it must be \(needed)", at: location)
  }

  private static func describe(_ range: ClosedRange<Int>) -> String {
    switch (range.lowerBound, range.upperBound) {
    case (.min, .max): "an integer"
    case (let low, .max): "an integer, at least \(low)"
    case (.min, let high): "an integer, at most \(high)"
    case (let low, let high): "an integer from \(low) to \(high)"
    }
  }
}
