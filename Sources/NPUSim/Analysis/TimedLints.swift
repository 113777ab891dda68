/// The lints that need a timing: small transfers and idle units. Only for a program without errors.
public enum TimedLints {
  /// A transfer is small where its port time is less than this part of its latency.
  static let smallPart: Int64 = 4
  /// Small transfers of a kind from which on they are worth a line.
  static let fewestTransfers = 4
  /// A unit that decides is idle where it is busy for less than this part of the cycles.
  static let idlePart: Int64 = 2

  /// P003 and P007 of a program that took `timing`.
  public static func findings(
    _ program: Program, timing: TimingResult, bounds: Bounds
  ) throws(NPUError) -> [Finding] {
    CoreFolding.fold(try smallTransfers(program), in: program)
      + idleUnits(program, timing, bounds)
  }

  // MARK: P003

  private struct Key: Hashable {
    var core: Int
    var opcode: UInt8
    var buffer: UInt32
    var label: UInt32
  }

  private struct Sum {
    var site: Finding.Site
    var count: Int
    var largest: Int64
  }

  private static func smallTransfers(_ program: Program) throws(NPUError) -> [Finding] {
    let prices = try PriceTable(program)
    var order: [Key] = []
    var sums: [Key: Sum] = [:]
    let isSmall = prices.prices.map { $0.usesHBM && $0.uncontended * smallPart < $0.latency }
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.kind == .data {
        guard isSmall[Int(record.work)], let tensor = tensor(record, program) else { continue }
        let key = Key(
          core: core, opcode: record.opcode, buffer: tensor,
          label: program.scopes[Int(record.scope)].label)
        let bytes = program.works[Int(record.work)].usefulBytes
        let sum = sums[key]
        if sum == nil { order.append(key) }
        sums[key] = Sum(
          site: sum?.site ?? .init(core: core, op: op), count: (sum?.count ?? 0) + 1,
          largest: max(sum?.largest ?? 0, bytes))
      }
    }
    return order.compactMap { key in
      guard let sum = sums[key], sum.count >= fewestTransfers else { return nil }
      let record = program.cores[sum.site.core][sum.site.op]
      let price = prices[record.work]
      let name = program.buffers[Int(key.buffer)].name
      return Finding(
        .P003,
        "\(sum.count) times \(program.mnemonic(record)) moves at most "
          + "\(Quantity.grouped(sum.largest)) bytes of \(name): "
          + "\(Quantity.grouped(price.uncontended)) cycles of the port, and "
          + "\(Quantity.grouped(price.latency)) of latency",
        sites: [sum.site], buffer: key.buffer,
        fix: "move several rows in one transfer, or keep the data on chip for longer",
        folded: sum.count - 1)
    }
  }

  private static func tensor(_ record: OpRecord, _ program: Program) -> UInt32? {
    for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
      let tile = program.tiles[Int(record.words[k])]
      if tile.space == .hbm { return tile.buffer }
    }
    return nil
  }

  // MARK: P007

  private static func idleUnits(
    _ program: Program, _ timing: TimingResult, _ bounds: Bounds
  ) -> [Finding] {
    guard case .queue(let queue) = bounds.attainableResource else { return [] }
    let total = timing.cycles * Int64(max(1, timing.cores.count))
    var busy: Int64 = 0
    var stalls = [Int64](repeating: 0, count: StallReason.count)
    for core in timing.cores {
      let row = core.queues[queue.index]
      busy += row.busy
      for reason in StallReason.allCases { stalls[reason.index] += row[reason] }
    }
    guard total > 0, busy * idlePart < total,
      let top = StallReason.allCases.max(by: { stalls[$0.index] < stalls[$1.index] })
    else { return [] }
    return [
      Finding(
        .P007,
        "\(queue.name), which decides what is attainable, is busy for "
          + "\(Quantity.percent(Double(busy), of: Double(total))) of the cycles; the largest stall "
          + "is \(top.rawValue), \(Quantity.grouped(stalls[top.index])) cycles",
        fix: "\(advice(top))")
    ]
  }

  private static func advice(_ reason: StallReason) -> String {
    switch reason {
    case .waitEvent: "deepen the rings it waits for, or emit their producers earlier"
    case .barrier: "replace barriers by events between two queues"
    case .interlock: "put independent work between dependent micro-ops"
    case .starved: "emit its micro-ops earlier: the sequencer stands before another full queue"
    case .dispatch: "use fewer, larger micro-ops"
    case .hbmShare: "move fewer bytes"
    case .drained: "shorten what follows its last micro-op, or split the work more evenly"
    }
  }
}
