extension RunReport {
  /// What came of looking for the order of a sequential program.
  public struct Order: Sendable, Hashable {
    /// What the order was made by; `nil` where the written one stands.
    public var rule: String?
    /// Cycles of the written order.
    public var writtenCycles: Int64

    /// What the page says of it.
    var sentence: String {
      let cycles = "\(Quantity.grouped(writtenCycles)) cycles"
      return rule.map { "found by \($0); as it was written it takes \(cycles)" }
        ?? "as it was written: nothing faster was found"
    }
  }
}

extension RunReport.Order {
  /// `nil` where no order was looked for, or the program could not be timed.
  public init?(_ found: FoundOrder) {
    guard let cycles = found.writtenCycles else { return nil }
    self.init(rule: found.rule?.name, writtenCycles: cycles)
  }
}

extension RunReport.Order: JSONRecord {
  static let blank = Self(rule: nil, writtenCycles: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("rule", \.rule), JSONField("written_cycles", \.writtenCycles),
  ]
}
