/// The fast judgement: whether any two micro-ops race, and which reads are uninitialised if none do.
///
/// For each atom it keeps the last write and the last read of each queue. That is enough to tell
/// whether a race exists: what is visible is a prefix of each queue, and knowledge only grows, so a
/// micro-op that is ordered after the last access of a queue is ordered after all of them. It stops
/// at the first race; ``RaceEnumeration`` then finds every pair.
struct AccessHistory: OrderObserver, ~Copyable {
  private struct Atom {
    /// 0: never written. Otherwise `(position + 1) × 8 + queue`, with queue 7 for a write that is
    /// ordered before everything.
    var write: UInt32
    /// The tile of the last write.
    var tile: UInt32
    /// 1 + the position of the last read of each queue.
    var reads: QueueClock
  }

  /// What the cores did with an atom of HBM since the last barrier over the cores.
  private struct Shared {
    var phase: UInt32 = 0
    var core: Int32 = -1
    var isWritten = false
    var hasManyCores = false
  }

  private static let settled: UInt32 = 7

  private let atoms: UnsafeMutablePointer<Atom>
  private let shared: UnsafeMutablePointer<Shared>
  private let starts: UnsafePointer<UInt32>
  private let members: UnsafePointer<UInt32>
  private let firstShared: Int
  private let atomCount: Int
  private var interlocks: UInt8 = 0
  private let hasManyCores: Bool
  /// The core and phase that the walk is in.
  var core: Int32 = 0
  var phase: UInt32 = 0
  private(set) var hasRace = false
  private(set) var uninitialised: [UninitialisedRead] = []

  /// `starts` and `members` are those of the table and must outlive the history.
  init(
    _ table: borrowing AtomTable, starts: UnsafePointer<UInt32>, members: UnsafePointer<UInt32>,
    machine: MachineConfiguration, cores: Int
  ) {
    self.starts = starts
    self.members = members
    firstShared = table.firstShared
    atomCount = table.count
    hasManyCores = cores > 1
    atoms = .allocate(capacity: max(1, table.count))
    for atom in 0..<table.count {
      (atoms + atom).initialize(
        to: Atom(
          write: table.isInitial[atom] ? Self.settled : 0, tile: .max,
          reads: QueueClock(repeating: 0)))
    }
    let sharedCount = hasManyCores ? table.count - table.firstShared : 0
    shared = .allocate(capacity: max(1, sharedCount))
    shared.initialize(repeating: Shared(), count: sharedCount)
    for queue in Queue.allCases where machine.interlocks(queue) {
      interlocks |= 1 << queue.rawValue
    }
  }

  deinit {
    atoms.deallocate()
    shared.deallocate()
  }

  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {}

  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    if hasRace { return }
    let bits = record.pointee.accessBits
    let queue = UInt32(record.pointee.queue.rawValue)
    var uninitialisedTile: UInt32?
    // Sources are read before results are written.
    var reads = bits & 0x111111
    while reads != 0 {
      let k = reads.trailingZeroBitCount / 4
      reads &= reads &- 1
      let tile = record.pointee.words[k]
      let forwards = bits >> UInt32(truncatingIfNeeded: 4 &* k) & 8 != 0
      let footprint = Int(tile) &* 2
      for member in starts[footprint]..<starts[footprint &+ 1] {
        let atom = members[Int(member)]
        share(atom, isWrite: false)
        let write = atoms[Int(atom)].write
        if write == 0 {
          uninitialisedTile = tile
        } else if !isOrdered(write, atom, queue, clock, tile, forwards) {
          hasRace = true
        }
        atoms[Int(atom)].reads[Int(queue)] = position &+ 1
      }
    }
    var writes = bits & 0x222222
    while writes != 0 {
      let k = writes.trailingZeroBitCount / 4
      writes &= writes &- 1
      let tile = record.pointee.words[k]
      let access = bits >> UInt32(truncatingIfNeeded: 4 &* k)
      let footprint = Int(tile) &* 2 &+ Int(access >> 2 & 1)
      for member in starts[footprint]..<starts[footprint &+ 1] {
        let atom = members[Int(member)]
        share(atom, isWrite: true)
        let write = atoms[Int(atom)].write
        if write != 0 && write != (position &+ 1) << 3 | queue
          && !isOrdered(write, atom, queue, clock, tile, access & 8 != 0)
        {
          hasRace = true
        }
        for other in 0..<Queue.count where other != Int(queue) {
          if atoms[Int(atom)].reads[other] > clock[other] { hasRace = true }
        }
        atoms[Int(atom)].write = (position &+ 1) << 3 | queue
        atoms[Int(atom)].tile = tile
      }
    }
    if let uninitialisedTile {
      uninitialised.append(
        UninitialisedRead(core: Int(core), op: index, tile: uninitialisedTile))
    }
  }

  /// Whether the last write of an atom is visible to a micro-op of `queue`, or held off by the queue.
  @inline(__always)
  private func isOrdered(
    _ write: UInt32, _ atom: UInt32, _ queue: UInt32, _ clock: QueueClock, _ tile: UInt32,
    _ forwards: Bool
  ) -> Bool {
    let source = write & 7
    if source == Self.settled || clock[Int(source)] >= write >> 3 { return true }
    if source != queue { return false }
    return interlocks & (1 << UInt8(truncatingIfNeeded: queue)) != 0
      || (forwards && atoms[Int(atom)].tile == tile)
  }

  /// Notes an access to HBM, and starts the history anew where a barrier over the cores, or another
  /// core, comes in between.
  @inline(__always)
  private mutating func share(_ atom: UInt32, isWrite: Bool) {
    guard hasManyCores, Int(atom) >= firstShared else { return }
    let state = shared + (Int(atom) - firstShared)
    if state.pointee.phase != phase || state.pointee.core < 0 {
      state.pointee = Shared(phase: phase, core: core, isWritten: isWrite, hasManyCores: false)
    } else if state.pointee.core == core {
      state.pointee.isWritten = state.pointee.isWritten || isWrite
      if state.pointee.isWritten && state.pointee.hasManyCores { hasRace = true }
      return
    } else {
      state.pointee.core = core
      state.pointee.hasManyCores = true
      state.pointee.isWritten = state.pointee.isWritten || isWrite
      if state.pointee.isWritten { hasRace = true }
    }
    atoms[Int(atom)].reads = QueueClock(repeating: 0)
    if atoms[Int(atom)].write != 0 { atoms[Int(atom)].write = Self.settled }
  }
}
