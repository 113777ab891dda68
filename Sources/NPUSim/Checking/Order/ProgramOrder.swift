/// The execution of the order of all cores, in steps between the barriers over the cores.
struct ProgramOrder {
  private let program: Program
  private(set) var walks: [OrderWalk]
  /// Why each core stopped in the end.
  private(set) var stops: [OrderWalk.Stop]
  /// Barriers over the cores that all cores have passed.
  private(set) var phases = 0
  /// In a program with events between cores.
  private(set) var exchange: CoreExchange?

  init(_ program: Program, _ use: TileUse) {
    self.program = program
    walks = use.eventIDs.enumerated().map { core, identifiers in
      OrderWalk(
        eventIDs: identifiers, depth: program.machine.queueDepth,
        overwrite: program.machine.eventOverwrite,
        units: use.hasUnitFlags[core] ? UnitChains(program.cores[core], tiles: program.tiles) : nil,
        hasCoreEvents: use.hasCoreEvents)
    }
    stops = Array(repeating: .finished, count: program.cores.count)
    if use.hasCoreEvents { exchange = CoreExchange(cores: program.cores.count) }
  }

  /// Executes everything that can execute; `enter` is told the core and the step before each part.
  mutating func run<O: OrderObserver & ~Copyable>(
    _ observer: inout O, enter: (inout O, Int, Int) -> Void
  ) {
    while true {
      for core in program.cores.indices {
        enter(&observer, core, phases)
        stops[core] = program.cores[core].withUnsafeBufferPointer { records in
          if case .coreBarrier(let index) = stops[core], let base = records.baseAddress {
            observer.synchronisation(index, base + index, 0, walks[core].sequencer.clock)
          }
          return walks[core].run(records, &observer)
        }
      }
      if exchange != nil { turn(&observer, enter) }
      let isJoined = !stops.isEmpty && stops.allSatisfy(\.isCoreBarrier)
      guard isJoined else { return }
      for core in program.cores.indices { walks[core].joinCores() }
      exchange?.join(counts: walks.map(\.counts))
      phases += 1
    }
  }

  /// Hands sets over to the cores that wait for them, until no core goes on.
  private mutating func turn<O: OrderObserver & ~Copyable>(
    _ observer: inout O, _ enter: (inout O, Int, Int) -> Void
  ) {
    var isMoving = true
    while isMoving {
      isMoving = false
      for core in program.cores.indices { handOver(core) }
      for core in program.cores.indices {
        while case .coreWait(let index) = stops[core],
          let passed = exchange?.take(program.cores[core][index].coreEvent(on: core))
        {
          isMoving = true
          enter(&observer, core, phases)
          stops[core] = program.cores[core].withUnsafeBufferPointer { records in
            walks[core].turn(passed, records, &observer)
            return walks[core].run(records, &observer)
          }
          handOver(core)
        }
      }
    }
  }

  private mutating func handOver(_ core: Int) {
    for fired in walks[core].takeFired() {
      exchange?.set(program.cores[core][fired.op].coreEvent(on: core), knowing: fired.knowing)
    }
  }

  /// Micro-ops left when nothing can execute any more.
  var notExecuted: Int {
    program.cores.indices.reduce(0) { total, core in
      let walk = walks[core]
      let kept = walk.deferred.indices.reduce(0) { $0 + walk.kept(on: $1) }
      let waiting = stops[core].isCoreBarrier ? 1 : 0
      return total + kept + waiting + program.cores[core].count - walk.next
    }
  }
}

extension OrderWalk.Stop {
  /// Whether the core stands at a barrier over the cores.
  var isCoreBarrier: Bool {
    if case .coreBarrier = self { true } else { false }
  }
}

extension OrderRecord {
  /// The order of every core of a program.
  static func record(_ program: Program, _ use: TileUse) -> [OrderRecord] {
    var recorder = Recorder(
      orders: program.cores.map { OrderRecord(count: $0.count, countsTurns: use.hasCoreEvents) })
    var order = ProgramOrder(program, use)
    order.run(&recorder) { recorder, core, _ in recorder.core = core }
    for core in recorder.orders.indices {
      var barriers: [Int] = []
      for (index, record) in program.cores[core].enumerated()
      where record.kind == .barrierCores && barriers.count < order.phases {
        barriers.append(index)
      }
      recorder.orders[core].coreBarriers = barriers
      recorder.orders[core].known = order.exchange?.known[core] ?? []
    }
    return recorder.orders
  }

  private struct Recorder: OrderObserver {
    var orders: [OrderRecord]
    var core = 0

    mutating func data(
      _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
    ) {
      orders[core].data(index, record, position, clock)
    }

    mutating func knows(turns: UInt32) { orders[core].knows(turns: turns) }

    mutating func synchronisation(
      _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
    ) {
      orders[core].data(index, record, position, clock)
    }
  }
}
