extension RunReport {
  /// What came of looking for the order of a sequential program.
  public struct Order: Sendable, Hashable {
    /// What the order was made by; `nil` where the written one stands.
    public var rule: String?
    /// Cycles of the written order.
    public var writtenCycles: Int64
    /// What limits cost each queue; `nil` where the program was not timed without them.
    public var costs: [OrderCosts.Row]?

    /// What the page says of it.
    var sentence: String {
      let cycles = "\(Quantity.grouped(writtenCycles)) cycles"
      return rule.map { "found by \($0); as it was written it takes \(cycles)" }
        ?? "as it was written: nothing faster was found"
    }

    /// What the page says of costs: each limit with the three queues that it costs most, in cycles. A
    /// queue that would be slower without the limit, as the order was made for it, is not named.
    var costLine: String? {
      guard let costs else { return nil }
      let limits: [(name: String, cost: KeyPath<OrderCosts.Row, Int64>)] = [
        ("event IDs", \.eventIDs), ("slots", \.slots), ("queue depth", \.queueDepth),
      ]
      return limits.map { limit in
        let rows = costs.filter { $0[keyPath: limit.cost] > 0 }
          .sorted { $0[keyPath: limit.cost] > $1[keyPath: limit.cost] }
        let parts = rows.prefix(3).map {
          "\($0.queue.name) \(Quantity.grouped($0[keyPath: limit.cost]))"
        }
        return "\(limit.name) \(rows.isEmpty ? "none" : parts.joined(separator: ", "))"
      }.joined(separator: "; ")
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
    .ifAny("costs", \.costs),
  ]
}

extension Queue: JSONConvertible {
  var json: JSONValue { .string(name) }

  init(json: JSONValue, _ path: String) throws(NPUError) {
    let name = try json.requireString(path)
    guard let queue = Queue(name: name) else {
      throw NPUError(
        .parse, "\(path) is \"\(name)\", which is not a queue", at: json.location,
        hint: DidYouMean.hint(for: name, among: Queue.allCases.map(\.name)))
    }
    self = queue
  }
}

extension OrderCosts.Row: JSONRecord {
  static let blank = Self(queue: .load, eventIDs: 0, slots: 0, queueDepth: 0)
  static let fields: [JSONField<Self>] = [
    JSONField("queue", \.queue), JSONField("event_ids", \.eventIDs), JSONField("slots", \.slots),
    JSONField("queue_depth", \.queueDepth),
  ]
}
