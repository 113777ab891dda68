import NPUSim

extension LlamaReport {
  /// What stands against the run, in one line.
  static func verdict(_ first: LlamaComparison.First) -> String {
    "\(first.stage) is the first stage that differs"
  }

  /// The lines on a comparison.
  func expected(_ comparison: LlamaComparison) -> [String] {
    let compared =
      "\(Quantity.grouped(comparison.words)) words of \(comparison.tensors.counted("tensor")) compared"
    guard let first = comparison.first else {
      let close =
        comparison.close > 0
        ? "\(Quantity.grouped(comparison.close)) within the tolerance" : "equal"
      return PageRow.lines("expected", "\(close); \(compared)")
    }
    return PageRow.lines(
      "expected",
      "\(Quantity.grouped(comparison.beyond)) differ in "
        + "\(comparison.differing.count.counted("tensor")); \(compared)")
      + PageRow.lines("", "first \(first.text)")
  }
}

extension LlamaComparison {
  /// The comparison as JSON.
  var json: JSONValue {
    .object([
      JSONMember("words", .integer(Int64(words))), JSONMember("tensors", .integer(Int64(tensors))),
      JSONMember("beyond", .integer(Int64(beyond))), JSONMember("close", .integer(Int64(close))),
      JSONMember("differing", .array(differing.map { .string($0) })),
      JSONMember("first", first.map(\.json) ?? .null),
    ])
  }
}

extension LlamaComparison.First {
  fileprivate var json: JSONValue {
    .object([
      JSONMember("stage", .string(stage)), JSONMember("position", .integer(Int64(position))),
      JSONMember("place", .string(difference.place)),
      JSONMember("found", .string(difference.found)),
      JSONMember("expected", .string(difference.expected)),
    ])
  }
}
