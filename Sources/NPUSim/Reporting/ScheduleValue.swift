extension RunReport {
  /// The value of a schedule's field.
  public enum ScheduleValue: Sendable, Hashable, CustomStringConvertible {
    case number(Int)
    case word(String)

    /// As lines of fields have it.
    public var description: String {
      switch self {
      case .number(let number): "\(number)"
      case .word(let word): word
      }
    }
  }
}

extension RunReport.ScheduleValue: JSONConvertible {
  var json: JSONValue {
    switch self {
    case .number(let number): .integer(number)
    case .word(let word): .string(word)
    }
  }

  init(json: JSONValue, _ path: String) throws(NPUError) {
    if case .string(let word) = json.content {
      self = .word(word)
    } else {
      self = .number(try Int(json: json, path))
    }
  }
}
