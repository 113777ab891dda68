/// What rules know of one core: its micro-ops, what they cost, and which of them conflict.
struct CoreModel: Sendable {
  let records: [OpRecord]
  let graph: ConflictGraph
  let followers: ConflictFollowers
  /// By amount of work; HBM as the cores share it, and as one has it alone.
  private let shared: [PriceTable.Price]
  private let alone: [PriceTable.Price]
  let machine: MachineConfiguration
  private let propagations: [Int64]

  /// - Parameter sharers: the cores that use HBM at the same time.
  init(
    _ records: [OpRecord], _ graph: ConflictGraph, _ table: PriceTable,
    _ machine: MachineConfiguration, sharers: Int
  ) {
    self.records = records
    self.graph = graph
    followers = ConflictFollowers(graph)
    self.machine = machine
    propagations = machine.propagations
    alone = table.prices
    shared =
      sharers < 2
      ? table.prices : table.prices.map { Self.shared($0, by: Int64(sharers), machine.hbm) }
  }

  /// A price where the other cores take their parts of HBM.
  private static func shared(
    _ price: PriceTable.Price, by sharers: Int64, _ hbm: MachineConfiguration.HBMSpec
  ) -> PriceTable.Price {
    let time = price.hbm
    guard price.usesHBM, !hbm.rate.isUnlimited, time.whole <= PriceTable.limit / sharers,
      time.fraction <= .max / sharers
    else { return price }
    var result = price
    let fraction = time.fraction * sharers
    result.hbm.whole = time.whole * sharers + fraction / hbm.parts
    result.hbm.fraction = fraction % hbm.parts
    result.uncontended = max(price.occupancy, result.hbm.roundedUp)
    return result
  }

  /// By amount of work.
  func prices(_ company: OrderRule.Company) -> [PriceTable.Price] {
    company == .shared ? shared : alone
  }

  /// Bytes of its lists, micro-ops and the conflicts of operands left out.
  var storageBytes: Int {
    followers.storageBytes + shared.storageBytes + alone.storageBytes
  }

  /// Cycles from where a result is visible on its queue to where another queue may start.
  @inline(__always) func crossing(from source: Int, to target: Int) -> Int64 {
    propagations[source * EventEnd.count + target] + 1
  }

  /// Whether every micro-op and conflict is like that of another core.
  func isLike(_ others: [OpRecord], _ other: ConflictGraph) -> Bool {
    records.count == others.count && graph == other
      && zip(records, others).allSatisfy {
        $0.queue == $1.queue && $0.kind == $1.kind && $0.work == $1.work
      }
  }

  /// For each node the longest path from its start to the end, in cycles. Of an order, what a queue
  /// does one after another is a path, too.
  func tails(_ company: OrderRule.Company, in order: [UInt32]? = nil) -> [Int64] {
    let prices = prices(company)
    // Joins are worked out where they are asked for: what comes behind them is known by then.
    var tails = [Int64](repeating: -1, count: graph.nodeCount)
    var behind = InlineArray<6, Int64>(repeating: 0)
    for place in (0..<graph.opCount).reversed() {
      let op = order.map { Int($0[place]) } ?? place
      guard records[op].kind == .data else {
        tails[op] = 0
        continue
      }
      let price = prices[Int(records[op].work)]
      let queue = records[op].queue.index
      let free = max(1, price.uncontended)
      let rest = path(behind: op, on: queue, latency: price.latency, &tails)
      tails[op] = free + max(rest, order == nil ? 0 : behind[queue])
      behind[queue] = tails[op]
    }
    return tails
  }

  /// The longest path from where a node is free.
  private func path(
    behind node: Int, on queue: Int, latency: Int64, _ tails: inout [Int64]
  ) -> Int64 {
    var result = latency
    for place in followers.places(behind: node) {
      let edge = followers.edges[place]
      let next = Int(edge & ConflictGraph.nodeMask)
      if next >= graph.opCount {
        if tails[next] < 0 {
          let own = Int(graph.joinQueues[next - graph.opCount])
          tails[next] = path(behind: next, on: own, latency: 0, &tails)
        }
        result = max(result, tails[next])
      } else if records[next].queue.index == queue {
        result = max(result, (edge & ConflictGraph.waitBit != 0 ? latency : 0) + tails[next])
      } else {
        let other = records[next].queue.index
        result = max(
          result, max(latency, 1) + crossing(from: queue, to: other) + tails[next])
      }
    }
    return result
  }
}
