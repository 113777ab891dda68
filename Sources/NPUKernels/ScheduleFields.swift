import NPUSim

/// The fields of a schedule that `--schedule name=value,…` may set, in order.
public struct ScheduleFields: Sendable, Hashable {
  /// Names and values; all are whole numbers.
  public private(set) var fields: [(name: String, value: Int)]

  public init(_ fields: [(name: String, value: Int)]) { self.fields = fields }

  /// The value of a field, or 0.
  public subscript(name: String) -> Int { fields.first { $0.name == name }?.value ?? 0 }

  /// Replaces fields by `name=value` pairs separated by commas. Throws `.usage` for a name that is
  /// not a field or a value that is not a positive whole number.
  public func applying(_ text: String) throws(NPUError) -> ScheduleFields {
    var result = self
    for pair in text.split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, let value = Int(parts[1]), value > 0 else {
        throw NPUError(
          .usage, "--schedule needs name=number, found '\(pair)'",
          hint: "the fields are \(fields.map(\.name).joined(separator: ", "))")
      }
      guard let index = result.fields.firstIndex(where: { $0.name == parts[0] }) else {
        let near = DidYouMean.suggest(String(parts[0]), among: fields.map(\.name))
        throw NPUError(
          .usage, "the schedule has no field '\(parts[0])'",
          hint: near.map { "did you mean \($0)?" }
            ?? "the fields are \(fields.map(\.name).joined(separator: ", "))")
      }
      result.fields[index].value = value
    }
    return result
  }

  public static func == (a: ScheduleFields, b: ScheduleFields) -> Bool {
    a.fields.elementsEqual(b.fields) { $0.name == $1.name && $0.value == $1.value }
  }

  public func hash(into hasher: inout Hasher) {
    for field in fields {
      hasher.combine(field.name)
      hasher.combine(field.value)
    }
  }
}
