extension SweepReport {
  /// The whole report; a superset of the text. Keys are stable within a ``schema``.
  public func json() -> JSONValue {
    let failing = indices(.failing)
    var members: [JSONMember] = [
      JSONMember("schema", .string(Self.schema)),
      JSONMember("kernel", .string(kernel)),
      JSONMember("machine", machine.json),
      JSONMember("verdict", .string(verdict.rawValue)),
      JSONMember("fails_on", RunReport.value(self.failing)),
      JSONMember(
        "values",
        .object(
          values.lists.map { list in
            JSONMember(list.name, .array(list.values.map(Self.value)))
          })),
      JSONMember("tried", .integer(outcomes.count)),
      JSONMember("clean", .integer(indices(.clean).count)),
      JSONMember("failing", .array(failing.map(setting))),
      JSONMember("refused", .array(indices(.refused).map(setting))),
      JSONMember("unfinished", .array(indices(.unfinished).map(setting))),
    ]
    members.append(JSONMember("refusal", refusal.map(Self.value) ?? .null))
    members.append(JSONMember("limit", limit.map(Self.value) ?? .null))
    var first = JSONValue.null
    if let number = failing.first {
      switch failure {
      case .findings(let report): first = ["values": setting(number), "report": report.json()]
      case .errors(let errors):
        first = ["values": setting(number), "errors": .array(errors.map(Self.value))]
      case nil: first = ["values": setting(number)]
      }
    }
    members.append(JSONMember("first", first))
    return .object(members)
  }

  private func setting(_ index: Int) -> JSONValue {
    .object(values[index].map { JSONMember($0.name, Self.value($0.value)) })
  }

  /// A whole number where it is one.
  private static func value(_ text: String) -> JSONValue {
    Int64(text).map { .integer($0) } ?? .string(text)
  }

  private static func value(_ error: NPUError) -> JSONValue {
    [
      "message": .string(error.message), "hint": error.hint.map { .string($0) } ?? .null,
      "file": error.location.map { .string($0.file) } ?? .null,
      "line": error.location.map { .integer($0.line) } ?? .null,
      "column": error.location.map { .integer($0.column) } ?? .null,
    ]
  }
}
