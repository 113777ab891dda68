/// The races of a program that has too many to list every pair: each racing micro-op with the latest
/// ones that it races with.
struct LatestRaces {
  private(set) var races: [Race] = []
  private(set) var uninitialised: [UninitialisedRead] = []

  /// Races between cores whose partner is looked for among all micro-ops.
  private static let mostSearched = 64

  private let program: Program
  private let layout: TileLayout
  private let orders: [OrderRecord]

  init(_ program: Program, layout: TileLayout, table: AtomTable, _ use: TileUse) {
    self.program = program
    self.layout = layout
    orders = OrderRecord.record(program, use)
    var order = ProgramOrder(program, use)
    let (found, reads) = table.withHistory(of: program, listsRaces: true) { history in
      order.run(&history) { history, core, phase in history.enter(core: core, phase: phase) }
      return (history.races, history.uninitialised)
    }
    uninitialised = reads
    let queues = orders.indices.map { core in Self.queues(program.cores[core], orders[core]) }
    var searched = 0
    for race in found {
      let site = Finding.Site(core: race.core, op: race.op)
      switch race.partner {
      case .queue(let queue, let position):
        let op = Int(queues[race.core][queue][position])
        add(race.code, Finding.Site(core: race.core, op: op), site)
      case .core(let core, let op):
        add(race.code, Finding.Site(core: core, op: op), site)
      case .anyCore(let tile, let phase, let isWrite):
        // Each is an error of its own, but a few show the cause.
        searched += 1
        if searched <= Self.mostSearched { search(site, tile, phase, isWrite: isWrite) }
      }
    }
    races.sort()
    var kept = 0
    for index in races.indices where index == 0 || races[index] != races[index - 1] {
      races[kept] = races[index]
      kept += 1
    }
    races.removeLast(races.count - kept)
  }

  /// The micro-ops of each queue of a core by their positions.
  private static func queues(_ records: [OpRecord], _ order: OrderRecord) -> [[UInt32]] {
    var queues = [[UInt32]](repeating: [], count: Queue.count)
    for op in order.sequence {
      let record = records[Int(op)]
      if record.kind.joinsQueues || record.kind.isInSequencer { continue }
      queues[record.queue.index].append(op)
    }
    return queues
  }

  /// Adds a race of the micro-op that executed first with a later one, in program order.
  private mutating func add(_ code: FindingCode, _ first: Finding.Site, _ second: Finding.Site) {
    if first.core < second.core || (first.core == second.core && first.op < second.op) {
      races.append(Race(code, first, second))
    } else {
      let turned: FindingCode = code == .H001 ? .H002 : code == .H002 ? .H001 : code
      races.append(Race(turned, second, first))
    }
  }

  /// Finds a micro-op of an earlier core that a micro-op races with.
  private mutating func search(
    _ site: Finding.Site, _ tile: UInt32, _ phase: Int, isWrite: Bool
  ) {
    for core in 0..<site.core {
      for (op, record) in program.cores[core].enumerated()
      where record.accessBits != 0 && orders[core].isExecuted(op)
        && orders[core].phase(of: op) == phase
      {
        for k in 0..<min(Int(record.operandCount), OpRecord.maximumOperands) {
          let access = record.access(k)
          let writes = access.contains(.write)
          guard !access.isEmpty, isWrite || writes,
            layout.overlap(
              program.tiles[Int(record.words[k])], padded: access.contains(.zeroFill),
              program.tiles[Int(tile)], padded: isWrite)
          else { continue }
          add(
            !writes ? .H002 : isWrite ? .H003 : .H001, Finding.Site(core: core, op: op), site)
          return
        }
      }
    }
  }
}
