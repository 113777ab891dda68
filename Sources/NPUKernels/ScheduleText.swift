import NPUSim

/// What `--schedule` says, before anybody knows which fields there are: `name=value`, separated by
/// commas or blanks, or the object that a JSON report has.
struct ScheduleText {
  /// Values by the names of the fields.
  typealias Given = [String: Int]

  private let pairs: [(name: String, number: String)]

  /// Throws `.usage` for what is no pair.
  init(_ text: String) throws(NPUError) {
    if text.first(where: { !$0.isWhitespace }) == "{" {
      pairs = try Self.members(text)
      return
    }
    var pairs: [(name: String, number: String)] = []
    for pair in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2 else {
        throw NPUError(
          .usage, "--schedule needs name=value, found '\(pair)'",
          hint: "for example --schedule stages=2; the line of a report is accepted as it is")
      }
      pairs.append((String(parts[0]), String(parts[1])))
    }
    self.pairs = pairs
  }

  /// The values of the fields that are named. `lanes`, which reports print behind them, must be the
  /// machine's.
  ///
  /// Throws `.usage` for a name that is not a field or is given twice, and for a value that the field
  /// does not take.
  func values(
    of fields: [ScheduleField], on machine: MachineConfiguration
  ) throws(NPUError) -> Given {
    var result: Given = [:]
    var seen: [String: String] = [:]
    for (name, number) in pairs {
      if let earlier = seen.updateValue(number, forKey: name) {
        throw NPUError(
          .usage, "--schedule gives \(name) twice, as '\(earlier)' and '\(number)'",
          hint: "keep one of them")
      }
      if name == "lanes" {
        try Self.require(lanes: number, machine)
        continue
      }
      guard let field = fields.first(where: { $0.name == name }) else {
        let names = fields.map(\.name)
        throw NPUError(
          .usage, "the schedule has no field '\(name)'",
          hint: DidYouMean.suggest(name, among: names).map { "did you mean \($0)?" }
            ?? "the fields are \(names.joined(separator: ", "))")
      }
      guard let value = field.values.value(of: number) else {
        throw NPUError(
          .usage, "--schedule \(name) needs \(field.values.needed), found '\(number)'",
          hint: "\(name) is: \(field.summary)")
      }
      result[name] = value
    }
    return result
  }

  private static func require(
    lanes number: String, _ machine: MachineConfiguration
  ) throws(NPUError) {
    guard number != "\(machine.vector.lanes)" else { return }
    throw NPUError(
      .usage,
      "--schedule lanes=\(number) on \(machine.name), which has \(machine.vector.lanes): lanes are "
        + "the machine's",
      hint: "leave it out, or change the machine with --set vector.lanes=\(number)")
  }

  private static func members(_ text: String) throws(NPUError) -> [(name: String, number: String)] {
    try JSONValue.parse(text, file: "--schedule", category: .usage).members.map { member in
      switch member.value.content {
      case .number(let number): return (member.key, number.text)
      case .string(let word): return (member.key, word)
      default: return (member.key, member.value.summary)
      }
    }
  }
}
