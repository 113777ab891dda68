/// Every executed access of a program, by atom, then core, queue, reads before writes, position.
struct AccessIndex {
  /// One operand's access to one atom.
  struct Access {
    /// Core, queue, whether it writes, and position in the queue, from the highest bits down.
    var key: UInt64
    var op: UInt32
    /// The tile; the top bit is set if the access forwards.
    var tileAndForward: UInt32

    /// The key without the position.
    var lane: UInt64 { key >> 32 }
    var position: UInt32 { UInt32(truncatingIfNeeded: key) }
    var isWrite: Bool { key >> 32 & 1 != 0 }
    var queue: Int { Int(key >> 33 & 7) }
    var core: Int { Int(key >> 36) }
    var tile: UInt32 { tileAndForward & ~AccessIndex.forwardBit }
    var forwards: Bool { tileAndForward & AccessIndex.forwardBit != 0 }
  }

  /// The accesses of an atom by one queue of a core, only reads or only writes.
  struct Lane {
    var core: Int
    var queue: Int
    var isWrite: Bool
    /// Its accesses in ``accesses``, by position.
    var range: Range<Int>
  }

  static let forwardBit: UInt32 = 1 << 31

  static func key(core: Int, queue: Int, isWrite: Bool, position: UInt32) -> UInt64 {
    UInt64(core) << 36 | UInt64(queue) << 33 | (isWrite ? 1 << 32 : 0) | UInt64(position)
  }

  /// Accesses of atom `a`: `accesses[starts[a]..<starts[a + 1]]`.
  private(set) var starts: [Int]
  private(set) var accesses: [Access]
  /// Where the lanes of atom `a` begin: `lanes[laneStarts[a]..<laneStarts[a + 1]]`.
  private var laneStarts: [Int] = [0]
  private var lanes: [Int] = []

  init(_ program: Program, table: AtomTable, orders: [OrderRecord]) {
    starts = Array(repeating: 0, count: table.count + 1)
    var filling = starts
    accesses = []
    for pass in 0..<2 {
      for (core, records) in program.cores.enumerated() {
        for (op, record) in records.enumerated()
        where record.accessBits != 0 && orders[core].isExecuted(op) {
          Self.forEachAccess(record, table) { atom, isWrite, tile, forwards in
            if pass == 0 {
              starts[atom + 1] += 1
            } else {
              accesses[filling[atom]] = Access(
                key: Self.key(
                  core: core, queue: record.queue.index, isWrite: isWrite,
                  position: orders[core].positions[op]),
                op: UInt32(op), tileAndForward: tile | (forwards ? Self.forwardBit : 0))
              filling[atom] += 1
            }
          }
        }
      }
      if pass == 0 {
        for atom in 0..<table.count { starts[atom + 1] += starts[atom] }
        filling = starts
        accesses = Array(
          repeating: Access(key: 0, op: 0, tileAndForward: 0), count: starts[table.count])
      }
    }
    for atom in 0..<table.count where starts[atom + 1] - starts[atom] > 1 {
      accesses[starts[atom]..<starts[atom + 1]].sort { $0.key < $1.key }
    }
    laneStarts.reserveCapacity(table.count + 1)
    for atom in 0..<table.count {
      for place in starts[atom]..<starts[atom + 1]
      where place == starts[atom] || accesses[place].lane != accesses[place - 1].lane {
        lanes.append(place)
      }
      laneStarts.append(lanes.count)
    }
  }

  /// Calls `body` with each lane of an atom.
  @inline(__always)
  func forEachLane(_ atom: Int, _ body: (Lane) -> Void) {
    for index in laneStarts[atom]..<laneStarts[atom + 1] { body(lane(index, of: atom)) }
  }

  private func lane(_ index: Int, of atom: Int) -> Lane {
    let first = lanes[index]
    let end = index + 1 < laneStarts[atom + 1] ? lanes[index + 1] : starts[atom + 1]
    let access = accesses[first]
    return Lane(
      core: access.core, queue: access.queue, isWrite: access.isWrite, range: first..<end)
  }

  /// Calls `body` with the atom, whether it is written, the tile and whether the access forwards.
  static func forEachAccess(
    _ record: OpRecord, _ table: AtomTable, _ body: (Int, Bool, UInt32, Bool) -> Void
  ) {
    for k in 0..<min(Int(record.operandCount), OpRecord.maximumOperands) {
      let access = record.access(k)
      guard !access.isEmpty else { continue }
      let tile = record.words[k]
      let forwards = access.contains(.forward)
      if access.contains(.read) {
        let footprint = AtomTable.footprint(tile: tile, filled: false)
        for member in table.starts[footprint]..<table.starts[footprint + 1] {
          body(Int(table.atoms[Int(member)]), false, tile, forwards)
        }
      }
      if access.contains(.write) {
        let footprint = AtomTable.footprint(tile: tile, filled: access.contains(.zeroFill))
        for member in table.starts[footprint]..<table.starts[footprint + 1] {
          body(Int(table.atoms[Int(member)]), true, tile, forwards)
        }
      }
    }
  }

  /// First index in `range` whose access does not satisfy `isBefore`, which must hold for a prefix.
  func partitionPoint(_ range: Range<Int>, _ isBefore: (Access) -> Bool) -> Int {
    var low = range.lowerBound
    var high = range.upperBound
    while low < high {
      let middle = (low + high) / 2
      if isBefore(accesses[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The accesses of an atom by one queue of a core, only reads or only writes.
  func list(atom: Int, core: Int, queue: Int, isWrite: Bool) -> Range<Int> {
    let key = Self.key(core: core, queue: queue, isWrite: isWrite, position: 0) >> 32
    var low = laneStarts[atom]
    var high = laneStarts[atom + 1]
    while low < high {
      let middle = (low + high) / 2
      if accesses[lanes[middle]].lane < key { low = middle + 1 } else { high = middle }
    }
    guard low < laneStarts[atom + 1], accesses[lanes[low]].lane == key else { return 0..<0 }
    return lane(low, of: atom).range
  }
}
