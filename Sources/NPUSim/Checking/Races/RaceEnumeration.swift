/// Finds every unordered conflicting pair and every uninitialised read.
///
/// For each micro-op and atom, the accesses of another queue that are unordered with it are one run
/// of that queue's accesses: from the first that it does not know, to the last that does not know it.
/// The cost is proportional to the pairs found, up to a logarithm. From the limit on only the first
/// pair of each such run is looked at, so that every racing micro-op is still seen.
struct RaceEnumeration {
  private let program: Program
  private let table: AtomTable
  private let orders: [OrderRecord]
  private let index: AccessIndex
  private let options: CheckOptions

  private(set) var races: [Race] = []
  private(set) var count = 0
  /// Whether pairs beyond the limit were left out.
  private(set) var isTruncated = false
  private(set) var uninitialised: [UninitialisedRead] = []

  private struct Partner: Hashable, Comparable {
    var core: Int
    var op: UInt32
    var code: FindingCode

    static func < (a: Partner, b: Partner) -> Bool {
      (a.core, a.op, a.code.rawValue) < (b.core, b.op, b.code.rawValue)
    }
  }

  private var partners: [Partner] = []
  private var looked = 0
  private var kinds: Set<Kind> = []

  init(
    _ program: Program, table: AtomTable, orders: [OrderRecord], index: AccessIndex,
    options: CheckOptions
  ) {
    self.program = program
    self.table = table
    self.orders = orders
    self.index = index
    self.options = options
  }

  mutating func run() {
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated()
      where record.accessBits != 0 && orders[core].isExecuted(op) {
        judge(core, op, record)
      }
    }
  }

  private mutating func judge(_ core: Int, _ op: Int, _ record: OpRecord) {
    partners.removeAll(keepingCapacity: true)
    var uninitialisedTile: UInt32?
    var isRaced = true
    // The closure cannot mutate self, so the atoms are listed first.
    var accesses: [(atom: Int, isWrite: Bool, tile: UInt32, forwards: Bool)] = []
    AccessIndex.forEachAccess(record, table) { accesses.append(($0, $1, $2, $3)) }
    for access in accesses {
      findPartners(
        core, op, record.queue.index, access.atom, isWrite: access.isWrite, access.tile)
      if !access.isWrite && !table.isInitial[access.atom]
        && !hasOrderedWrite(
          core, op, record.queue, access.atom, access.tile, forwards: access.forwards)
      {
        let hasWrite = hasEarlierWrite(core, op, access.atom)
        // A tile with bytes that nobody writes is the one to name.
        if uninitialisedTile == nil || !hasWrite { uninitialisedTile = access.tile }
        isRaced = isRaced && hasWrite
      }
    }
    if let uninitialisedTile {
      uninitialised.append(
        UninitialisedRead(core: core, op: op, tile: uninitialisedTile, isRaced: isRaced))
    }
    partners.sort()
    var last: Partner?
    var own = 0
    for partner in partners where partner != last {
      last = partner
      count += 1
      own += 1
      let isKept =
        races.count < options.raceLimit
        || (isTruncated && own <= Self.mostCompared && isNewKind(core, op, partner))
      if isKept {
        races.append(
          Race(
            partner.code, .init(core: core, op: op),
            .init(core: partner.core, op: Int(partner.op))))
      }
    }
  }

  // MARK: Kinds

  /// What the micro-ops of races of one cause have in common.
  private struct Kind: Hashable {
    var code: FindingCode
    var opcodes: SIMD2<UInt8>
    var queues: SIMD2<UInt8>
    var cores: SIMD2<Int>
    var labels: SIMD2<UInt32>
    var buffers: SIMD2<UInt32>
  }

  /// Partners of a micro-op that may be kept for their kind when the list is full.
  private static let mostCompared = 16
  /// Kinds that are told apart.
  private static let mostKinds = 1_000

  /// Whether no race of this kind was kept for its kind.
  private mutating func isNewKind(_ core: Int, _ op: Int, _ partner: Partner) -> Bool {
    guard kinds.count < Self.mostKinds else { return false }
    let a = program.cores[core][op]
    let b = program.cores[partner.core][Int(partner.op)]
    func label(_ record: OpRecord) -> UInt32 {
      Int(record.scope) < program.scopes.count ? program.scopes[Int(record.scope)].label : 0
    }
    func buffer(_ record: OpRecord) -> UInt32 {
      record.access(0).isEmpty ? .max : program.tiles[Int(record.words[0])].buffer
    }
    return kinds.insert(
      Kind(
        code: partner.code, opcodes: SIMD2(a.opcode, b.opcode),
        queues: SIMD2(a.queue.rawValue, b.queue.rawValue), cores: SIMD2(core, partner.core),
        labels: SIMD2(label(a), label(b)), buffers: SIMD2(buffer(a), buffer(b)))
    ).inserted
  }

  // MARK: Pairs

  private mutating func findPartners(
    _ core: Int, _ op: Int, _ queue: Int, _ atom: Int, isWrite: Bool, _ tile: UInt32
  ) {
    // The closure mutates self, of which the index is a part.
    let index = index
    index.forEachLane(atom) { lane in
      if lane.core == core && lane.queue != queue {
        if isWrite || lane.isWrite { findUnordered(core, op, queue, lane, after: isWrite) }
      } else if lane.core == core {
        if isWrite && program.machine.interlocks[queue] != .full {
          findUnseen(core, op, queue, lane.range, tile)
        }
      } else if lane.core > core && atom >= table.firstShared && (isWrite || lane.isWrite) {
        if let known = orders[core].known(lane: lane.queue, of: lane.core, to: op) {
          findUnordered(core, op, queue, lane, knowing: known, after: isWrite)
        } else {
          findOnOtherCore(core, op, lane, after: isWrite)
        }
      }
    }
  }

  private mutating func add(_ access: AccessIndex.Access, after isWrite: Bool) {
    looked += 1
    if looked > options.enumerationLimit { isTruncated = true }
    partners.append(
      Partner(
        core: access.core, op: access.op,
        code: isWrite ? (access.isWrite ? .H003 : .H001) : .H002))
  }

  /// Later micro-ops of another queue of the core.
  private mutating func findUnordered(
    _ core: Int, _ op: Int, _ queue: Int, _ lane: AccessIndex.Lane, after isWrite: Bool
  ) {
    let known = orders[core].clocks[op][lane.queue]
    let position = orders[core].positions[op]
    var next = index.partitionPoint(lane.range) { $0.position < known || Int($0.op) < op }
    while next < lane.range.upperBound {
      let access = index.accesses[next]
      if orders[core].clocks[Int(access.op)][queue] > position { return }
      add(access, after: isWrite)
      if isTruncated { return }
      next += 1
    }
  }

  /// Later micro-ops of the same queue, which does not hold them off, that start too early to see
  /// this one's results.
  private mutating func findUnseen(
    _ core: Int, _ op: Int, _ queue: Int, _ list: Range<Int>, _ tile: UInt32
  ) {
    let position = orders[core].positions[op]
    let forwardsResults = program.cores[core][op].forwardsResults
    var next = index.partitionPoint(list) { $0.position <= position }
    while next < list.upperBound {
      let access = index.accesses[next]
      if orders[core].clocks[Int(access.op)][queue] > position { return }
      if !(access.forwards && access.tile == tile && forwardsResults) {
        add(access, after: true)
        if isTruncated { return }
      }
      next += 1
    }
  }

  /// Accesses of a higher core that neither come before, as far as `known` says, nor know this one.
  private mutating func findUnordered(
    _ core: Int, _ op: Int, _ queue: Int, _ lane: AccessIndex.Lane, knowing known: UInt32,
    after isWrite: Bool
  ) {
    let position = orders[core].positions[op]
    var next = index.partitionPoint(lane.range) { $0.position < known }
    while next < lane.range.upperBound {
      let access = index.accesses[next]
      let theirs = orders[lane.core].known(lane: queue, of: core, to: Int(access.op)) ?? 0
      if theirs > position { return }
      add(access, after: isWrite)
      if isTruncated { return }
      next += 1
    }
  }

  /// Accesses of a higher core between the same barriers over the cores.
  private mutating func findOnOtherCore(
    _ core: Int, _ op: Int, _ lane: AccessIndex.Lane, after isWrite: Bool
  ) {
    let phase = orders[core].phase(of: op)
    let barriers = orders[lane.core].coreBarriers
    let first = phase == 0 ? 0 : phase <= barriers.count ? barriers[phase - 1] : Int.max
    let end = phase < barriers.count ? barriers[phase] : Int.max
    var next = index.partitionPoint(lane.range) { Int($0.op) < first }
    while next < lane.range.upperBound && Int(index.accesses[next].op) < end {
      add(index.accesses[next], after: isWrite)
      if isTruncated { return }
      next += 1
    }
  }

  // MARK: Initialisation

  /// Whether a micro-op that is not ordered after a read, and does not follow it in its core's program,
  /// writes an atom.
  private func hasEarlierWrite(_ core: Int, _ op: Int, _ atom: Int) -> Bool {
    for other in program.cores.indices where other == core || atom >= table.firstShared {
      for queue in 0..<Queue.count {
        let list = index.list(atom: atom, core: other, queue: queue, isWrite: true)
        guard let first = list.first else { continue }
        let writer = Int(index.accesses[first].op)
        if other == core && writer < op { return true }
        if other != core && isConcurrent(other, writer, queue, core, op) { return true }
      }
    }
    return false
  }

  /// Whether a micro-op of one core, on `queue`, may come before one of another core that does not know
  /// it: whether the two lie between the same barriers over the cores, and it does not know the other.
  private func isConcurrent(
    _ core: Int, _ op: Int, _ queue: Int, _ otherCore: Int, _ otherOp: Int
  ) -> Bool {
    let other = program.cores[otherCore][otherOp].queue.index
    guard let known = orders[core].known(lane: other, of: otherCore, to: op),
      let theirs = orders[otherCore].known(lane: queue, of: core, to: otherOp)
    else { return orders[core].phase(of: op) == orders[otherCore].phase(of: otherOp) }
    return known <= orders[otherCore].positions[otherOp] && theirs <= orders[core].positions[op]
  }

  private func hasOrderedWrite(
    _ core: Int, _ op: Int, _ queue: Queue, _ atom: Int, _ tile: UInt32, forwards: Bool
  ) -> Bool {
    let clock = orders[core].clocks[op]
    let position = orders[core].positions[op]
    for other in 0..<Queue.count {
      let list = index.list(atom: atom, core: core, queue: other, isWrite: true)
      guard let first = list.first else { continue }
      if index.accesses[first].position < clock[other] { return true }
      guard other == queue.index else { continue }
      if program.machine.interlocks(queue) {
        if index.accesses[first].position < position { return true }
      } else if forwards {
        for access in index.accesses[list] where access.position < position {
          if access.tile == tile && program.cores[core][Int(access.op)].forwardsResults {
            return true
          }
        }
      }
    }
    guard program.cores.count > 1, atom >= table.firstShared else { return false }
    let phase = orders[core].phase(of: op)
    for other in program.cores.indices where other != core {
      for queue in 0..<Queue.count {
        let list = index.list(atom: atom, core: other, queue: queue, isWrite: true)
        guard let first = list.first else { continue }
        if let known = orders[core].known(lane: queue, of: other, to: op) {
          if index.accesses[first].position < known { return true }
        } else if orders[other].phase(of: Int(index.accesses[first].op)) < phase {
          return true
        }
      }
    }
    return false
  }
}
