import NPUSim

/// The fields of a schedule that `--schedule name=value,…` may set, in order.
public struct ScheduleFields: Sendable, Hashable {
  public private(set) var fields: [ScheduleField]

  public init(_ fields: [ScheduleField]) { self.fields = fields }

  /// The value of a field, or 0.
  public subscript(name: String) -> Int { fields.first { $0.name == name }?.value ?? 0 }

  /// Names and values, as reports have them.
  public var values: [(name: String, value: Int)] { fields.map { ($0.name, $0.value) } }

  /// The fields as `--schedule` takes them.
  public var text: String { fields.map { "\($0.name)=\($0.value)" }.joined(separator: ",") }

  /// Replaces fields by `name=value` pairs separated by commas. Throws `.usage` for a name that is
  /// not a field or is given twice, and for a value that is not a whole number in the field's range.
  public func applying(_ text: String) throws(NPUError) -> ScheduleFields {
    let known = "the fields are \(fields.map(\.name).joined(separator: ", "))"
    var result = self
    var given: [Int: String] = [:]
    for pair in text.split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw NPUError(.usage, "--schedule needs name=number, found '\(pair)'", hint: known)
      }
      let (name, number) = (String(parts[0]), String(parts[1]))
      guard let index = fields.firstIndex(where: { $0.name == name }) else {
        let near = DidYouMean.suggest(name, among: fields.map(\.name))
        throw NPUError(
          .usage, "the schedule has no field '\(name)'",
          hint: near.map { "did you mean \($0)?" } ?? known)
      }
      if let earlier = given.updateValue(number, forKey: index) {
        throw NPUError(
          .usage, "--schedule gives \(name) twice, as '\(earlier)' and '\(number)'",
          hint: "keep one of them")
      }
      let range = fields[index].range
      guard let value = Int(number), range.contains(value) else {
        throw NPUError(
          .usage,
          "--schedule \(name) needs a whole number from \(range.lowerBound) to "
            + "\(range.upperBound), found '\(number)'",
          hint: "the schedule chosen by itself has \(name)=\(fields[index].value)")
      }
      result.fields[index].value = value
    }
    return result
  }
}
