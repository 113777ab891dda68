/// For each micro-op the last one of each queue that it has to come after, 1 + its position.
///
/// Only made for a clean program: there a micro-op knows all of these to be visible, or its queue holds
/// it back for them. Take knowledge away, and the program is still clean exactly if each micro-op
/// still knows its own: the last write of each byte is enough, as whoever wrote last had to know the
/// writes before.
struct DependenceRecord: OrderObserver {
  private struct Atom {
    /// 0: none, otherwise 1 + the position of the last write, by `queue` and through `tile`, which is
    /// ``DependenceRecord/noTile`` where it does not forward.
    var write: UInt32 = 0
    var queue: UInt32 = 0
    var tile: UInt32 = 0
    /// Which core's part, and which, the atom was last used in.
    var epoch: UInt32 = 0
    var reads = QueueClock(repeating: 0)
  }

  private static let noTile = UInt32.max - 1

  private let table: AtomTable
  private let interlocks: [Bool]
  private var atoms: [Atom]
  private var crowds: [CrowdHistory]
  private var core = 0
  private var phase = 0
  private var epoch: UInt32 = 0
  /// For each core and micro-op.
  private(set) var clocks: [[QueueClock]]

  /// The dependences of a clean program.
  static func record(_ program: Program, _ use: TileUse, _ table: AtomTable) -> [[QueueClock]] {
    var record = DependenceRecord(program, table)
    var order = ProgramOrder(program, use)
    order.run(&record) { record, core, phase in
      record.core = core
      record.phase = phase
      record.epoch += 1
    }
    return record.clocks
  }

  private init(_ program: Program, _ table: AtomTable) {
    self.table = table
    interlocks = Queue.allCases.map { program.machine.interlocks($0) }
    atoms = Array(repeating: Atom(), count: table.count)
    crowds = table.histories(cores: program.cores.count)
    clocks = program.cores.map {
      Array(repeating: QueueClock(repeating: 0), count: $0.count)
    }
  }

  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {}

  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    let queue = record.pointee.queue.index
    var needed = QueueClock(repeating: 0)
    // The closures mutate self, of which the table is a part.
    let table = table
    AccessIndex.forEachAccess(record.pointee, table) { member, isWrite, tile, forwards in
      if member < table.count {
        need(&needed, member, queue, isWrite: isWrite, forwards ? tile : .max)
      } else {
        needCrowd(&needed, member, queue, isWrite: isWrite, forwards: forwards)
      }
    }
    AccessIndex.forEachAccess(record.pointee, table) { member, isWrite, tile, _ in
      if member >= table.count {
        let (own, place) = table.crowd(of: member)
        crowds[own].note(place, isWrite: isWrite, by: record.pointee, position: position)
      } else if isWrite {
        atoms[member].write = position &+ 1
        atoms[member].queue = UInt32(truncatingIfNeeded: queue)
        atoms[member].tile = record.pointee.forwardsResults ? tile : Self.noTile
      } else {
        atoms[member].reads[queue] = position &+ 1
      }
    }
    clocks[core][index] = needed
  }

  private mutating func need(
    _ needed: inout QueueClock, _ atom: Int, _ queue: Int, isWrite: Bool, _ forwarded: UInt32
  ) {
    if atom >= table.firstShared && atoms[atom].epoch != epoch {
      // What another core did, or what came before a barrier over the cores, is ordered by that.
      atoms[atom] = Atom(epoch: epoch)
    }
    let source = Int(atoms[atom].queue)
    let isHeld = source == queue && (interlocks[queue] || atoms[atom].tile == forwarded)
    if !isHeld { needed[source] = max(needed[source], atoms[atom].write) }
    guard isWrite else { return }
    for other in 0..<Queue.count where other != queue {
      needed[other] = max(needed[other], atoms[atom].reads[other])
    }
  }

  private mutating func needCrowd(
    _ needed: inout QueueClock, _ member: Int, _ queue: Int, isWrite: Bool, forwards: Bool
  ) {
    let (own, place) = table.crowd(of: member)
    crowds[own].enter(
      core: Int32(truncatingIfNeeded: core), phase: UInt32(truncatingIfNeeded: phase))
    var bound = (reads: CrowdHistory.Lanes(needed), writes: CrowdHistory.Lanes(needed))
    crowds[own].raise(
      &bound,
      CrowdHistory.Probe(
        place: place, isWrite: isWrite, queue: queue, interlocks: interlocks[queue],
        forwards: forwards))
    for other in 0..<Queue.count {
      needed[other] = max(bound.reads[other], bound.writes[other])
    }
  }
}
