/// The fast judgement: whether any two micro-ops race, and which reads are uninitialised if none do.
///
/// For each atom it keeps the last write and the last read of each queue, for crowds a
/// ``CrowdHistory``. That is enough to tell whether a race exists: what is visible is a prefix of each
/// queue, and knowledge only grows, so a micro-op that is ordered after the last access of a queue is
/// ordered after all of them. It stops at the first race; ``RaceEnumeration`` then finds every pair.
/// Where there are too many pairs for that it goes on, and lists of each racing micro-op the latest
/// partners.
struct AccessHistory: OrderObserver, ~Copyable {
  private struct Atom {
    /// 0: never written. Otherwise `(position + 1) × 8 + queue`, with queue 7 for a write that is
    /// ordered before everything.
    var write: UInt32
    /// The tile of the last write if it forwards, else `.max`.
    var tile: UInt32
    /// 1 + the position of the last read of each queue.
    var reads: QueueClock
  }

  /// What the cores did with an atom of HBM since the last barrier over the cores.
  private struct Shared {
    var phase: UInt32 = 0
    var core: Int32 = -1
    /// Its last write if it wrote, otherwise its last read.
    var op: UInt32 = 0
    var isWritten = false
    var hasManyCores = false
    /// The same of the core before.
    var otherCore: Int32 = -1
    var otherOp: UInt32 = 0
    var otherWrote = false
  }

  private static let settled: UInt32 = 7

  private let table: AtomTable
  private let atoms: UnsafeMutablePointer<Atom>
  private let shared: UnsafeMutablePointer<Shared>
  private let starts: UnsafeBufferPointer<UInt32>
  private let members: UnsafeBufferPointer<UInt32>
  private let firstShared: Int
  private let atomCount: Int
  private var crowds: [CrowdHistory]
  private var interlocks: UInt8 = 0
  private let hasManyCores: Bool
  private let listsRaces: Bool
  /// The core and phase that the walk is in.
  private var core: Int32 = 0
  private var phase: UInt32 = 0
  private(set) var hasRace = false
  /// With the latest partners of each racing micro-op, if they are to be listed.
  private(set) var races: [LatestRace] = []
  private(set) var uninitialised: [UninitialisedRead] = []

  /// `starts` and `members` are those of the table and must outlive the history.
  init(
    _ table: AtomTable, starts: UnsafeBufferPointer<UInt32>, members: UnsafeBufferPointer<UInt32>,
    machine: MachineConfiguration, cores: Int, listsRaces: Bool
  ) {
    self.table = table
    self.starts = starts
    self.members = members
    self.listsRaces = listsRaces
    firstShared = table.firstShared
    atomCount = table.count
    hasManyCores = cores > 1
    crowds = table.histories(cores: cores)
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

  /// Begins a core's part between two barriers over the cores.
  mutating func enter(core: Int, phase: Int) {
    self.core = Int32(truncatingIfNeeded: core)
    self.phase = UInt32(truncatingIfNeeded: phase)
  }

  mutating func synchronisation(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {}

  mutating func data(
    _ index: Int, _ record: UnsafePointer<OpRecord>, _ position: UInt32, _ clock: QueueClock
  ) {
    if hasRace && !listsRaces { return }
    let bits = record.pointee.accessBits
    let queue = UInt32(record.pointee.queue.rawValue)
    var uninitialisedTile: UInt32?
    var isCrowded = false
    // Sources are read before results are written.
    var reads = bits & 0x111111
    while reads != 0 {
      let k = reads.trailingZeroBitCount / 4
      reads &= reads &- 1
      let tile = record.pointee.words[k]
      let forwards = bits >> UInt32(truncatingIfNeeded: 4 &* k) & 8 != 0
      let footprint = Int(tile) &* 2
      for place in Int(starts[footprint])..<Int(starts[footprint &+ 1]) {
        let atom = members[place]
        if Int(atom) >= atomCount {
          isCrowded = true
          if !probe(atom, index, queue, clock, isWrite: false, forwards: forwards) {
            uninitialisedTile = tile
          }
          continue
        }
        share(atom, index, isWrite: false)
        let write = atoms[Int(atom)].write
        if write == 0 {
          uninitialisedTile = tile
        } else if !isOrdered(write, atom, queue, clock, tile, forwards: forwards) {
          found(index, .H001, queue: write & 7, position: write >> 3 &- 1)
        }
        atoms[Int(atom)].reads[Int(queue)] = position &+ 1
      }
    }
    let forwardsResults = record.pointee.forwardsResults
    var writes = bits & 0x222222
    while writes != 0 {
      let k = writes.trailingZeroBitCount / 4
      writes &= writes &- 1
      let tile = record.pointee.words[k]
      let access = bits >> UInt32(truncatingIfNeeded: 4 &* k)
      let footprint = Int(tile) &* 2 &+ Int(access >> 2 & 1)
      for place in Int(starts[footprint])..<Int(starts[footprint &+ 1]) {
        let atom = members[place]
        if Int(atom) >= atomCount {
          isCrowded = true
          _ = probe(atom, index, queue, clock, isWrite: true, forwards: access & 8 != 0)
          continue
        }
        share(atom, index, isWrite: true)
        let write = atoms[Int(atom)].write
        if write != 0 && write != (position &+ 1) << 3 | queue
          && !isOrdered(write, atom, queue, clock, tile, forwards: access & 8 != 0)
        {
          found(index, .H003, queue: write & 7, position: write >> 3 &- 1)
        }
        for other in 0..<Queue.count where other != Int(queue) {
          let read = atoms[Int(atom)].reads[other]
          if read > clock[other] {
            found(index, .H002, queue: UInt32(other), position: read &- 1)
          }
        }
        atoms[Int(atom)].write = (position &+ 1) << 3 | queue
        atoms[Int(atom)].tile = forwardsResults ? tile : .max
      }
    }
    if isCrowded { note(record.pointee, position) }
    if let uninitialisedTile {
      uninitialised.append(
        UninitialisedRead(core: Int(core), op: index, tile: uninitialisedTile))
    }
  }

  /// Whether the last write of an atom is visible to a micro-op of `queue`, or held off by the queue.
  @inline(__always)
  private func isOrdered(
    _ write: UInt32, _ atom: UInt32, _ queue: UInt32, _ clock: QueueClock, _ tile: UInt32,
    forwards: Bool
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
  private mutating func share(_ atom: UInt32, _ index: Int, isWrite: Bool) {
    guard hasManyCores, Int(atom) >= firstShared else { return }
    let state = shared + (Int(atom) - firstShared)
    let op = UInt32(truncatingIfNeeded: index)
    if state.pointee.phase != phase || state.pointee.core < 0 {
      state.pointee = Shared(
        phase: phase, core: core, op: op, isWritten: isWrite, hasManyCores: false)
    } else if state.pointee.core == core {
      if isWrite || !state.pointee.isWritten { state.pointee.op = op }
      state.pointee.isWritten = state.pointee.isWritten || isWrite
      if state.pointee.isWritten && state.pointee.hasManyCores {
        found(index, state.pointee, isWrite: isWrite)
      }
      return
    } else {
      state.pointee.otherCore = state.pointee.core
      state.pointee.otherOp = state.pointee.op
      state.pointee.otherWrote = state.pointee.isWritten
      state.pointee.core = core
      state.pointee.op = op
      state.pointee.hasManyCores = true
      state.pointee.isWritten = state.pointee.isWritten || isWrite
      if state.pointee.isWritten { found(index, state.pointee, isWrite: isWrite) }
    }
    atoms[Int(atom)].reads = QueueClock(repeating: 0)
    if atoms[Int(atom)].write != 0 { atoms[Int(atom)].write = Self.settled }
  }

  // MARK: Races

  /// Races that are kept; the program is not judged better for more.
  private static let mostListed = 1 << 20

  private var isListing: Bool { listsRaces && races.count < Self.mostListed }

  /// Notes a race with a micro-op of the core.
  @inline(never)
  private mutating func found(
    _ index: Int, _ code: FindingCode, queue: UInt32, position: UInt32
  ) {
    hasRace = true
    guard isListing else { return }
    races.append(
      LatestRace(
        core: Int(core), op: index, code: code,
        partner: .queue(Int(queue), position: Int(position))))
  }

  /// Notes a race with a micro-op of another core.
  @inline(never)
  private mutating func found(_ index: Int, _ state: Shared, isWrite: Bool) {
    hasRace = true
    guard isListing, state.otherWrote || isWrite else { return }
    races.append(
      LatestRace(
        core: Int(core), op: index,
        code: !state.otherWrote ? .H002 : isWrite ? .H003 : .H001,
        partner: .core(Int(state.otherCore), op: Int(state.otherOp))))
  }

  // MARK: Crowds

  /// Looks for conflicts of an access to a rectangle of a crowd; whether its bytes were written.
  @inline(never)
  private mutating func probe(
    _ member: UInt32, _ index: Int, _ queue: UInt32, _ clock: QueueClock, isWrite: Bool,
    forwards: Bool
  ) -> Bool {
    let (own, place) = table.crowd(of: Int(member))
    crowds[own].enter(core: core, phase: phase)
    let known = CrowdHistory.Lanes(clock)
    var bound = (reads: known, writes: known)
    crowds[own].raise(
      &bound,
      CrowdHistory.Probe(
        place: place, isWrite: isWrite, queue: Int(queue),
        interlocks: interlocks & (1 << UInt8(truncatingIfNeeded: queue)) != 0,
        forwards: forwards))
    if bound.reads != known || bound.writes != known {
      for other in 0..<Queue.count {
        if bound.reads[other] > known[other] {
          found(index, .H002, queue: UInt32(other), position: bound.reads[other] - 1)
        }
        if bound.writes[other] > known[other] {
          found(
            index, isWrite ? .H003 : .H001, queue: UInt32(other),
            position: bound.writes[other] - 1)
        }
      }
      if bound.reads[CrowdHistory.foreign] > 0 || bound.writes[CrowdHistory.foreign] > 0 {
        foundForeign(index, crowds[own].crowd.footprints[place] / 2, isWrite: isWrite)
      }
    }
    return isWrite || crowds[own].isInitialised(place)
  }

  @inline(never)
  private mutating func foundForeign(_ index: Int, _ tile: UInt32, isWrite: Bool) {
    hasRace = true
    guard isListing else { return }
    races.append(
      LatestRace(
        core: Int(core), op: index, code: isWrite ? .H003 : .H001,
        partner: .anyCore(tile: tile, phase: Int(phase), isWrite: isWrite)))
  }

  /// Notes the accesses of a micro-op to crowds, once none of its operands is left to judge.
  private mutating func note(_ record: OpRecord, _ position: UInt32) {
    // The closure mutates self, of which the table is a part.
    let (table, atomCount) = (table, atomCount)
    AccessIndex.forEachAccess(record, table) { member, isWrite, _, _ in
      guard member >= atomCount else { return }
      let (own, place) = table.crowd(of: member)
      crowds[own].note(
        place, isWrite: isWrite, by: record, position: position)
    }
  }
}

extension AtomTable {
  /// What `body` makes of a history in which nothing has executed yet.
  func withHistory<Answer>(
    of program: Program, listsRaces: Bool, _ body: (inout AccessHistory) -> Answer
  ) -> Answer {
    starts.withUnsafeBufferPointer { starts in
      atoms.withUnsafeBufferPointer { members in
        var history = AccessHistory(
          self, starts: starts, members: members, machine: program.machine,
          cores: program.cores.count, listsRaces: listsRaces)
        return body(&history)
      }
    }
  }

  /// The histories of the crowds before anything has executed.
  func histories(cores: Int) -> [CrowdHistory] {
    let footprints = UInt32(truncatingIfNeeded: starts.count - 1)
    return crowds.map {
      CrowdHistory(
        $0.crowd, isInitial: $0.isInitial, isShared: $0.isShared && cores > 1,
        footprints: footprints)
    }
  }
}

extension CrowdHistory.Lanes {
  /// What a clock knows of each queue.
  init(_ clock: QueueClock) {
    self.init(repeating: 0)
    for queue in 0..<Queue.count { self[queue] = clock[queue] }
  }
}
