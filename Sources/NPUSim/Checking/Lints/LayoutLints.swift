/// Lints of where tiles lie: bursts that are not filled, operands in one bank group, buffers that are
/// filled and emptied in turns, results that nobody reads.
struct LayoutLints {
  /// Share of the HBM bytes of some transfers above which what they waste is worth a line: 1 / 8.
  static let wasteShare: Int64 = 8
  /// Least bytes of waste that are worth a line, in bursts.
  static let leastWaste: Int64 = 8
  /// Refills of a single slot from which on it counts as a loop.
  static let fewestTurns = 3

  private let program: Program
  private let layout: TileLayout
  private let writer: FindingWriter
  /// For each scope, one number for its path of labels, so that keys need no text.
  private let groups: [UInt32]

  init(_ program: Program, layout: TileLayout, _ writer: FindingWriter) {
    self.program = program
    self.layout = layout
    self.writer = writer
    groups = Self.scopeGroups(program.scopes)
  }

  /// What like micro-ops have in common: core, opcode, buffers and scope without iterations.
  private struct Key: Hashable {
    var core: Int
    var opcode: UInt8
    /// ``none`` where there is none.
    var first: UInt32
    var second: UInt32 = Self.none
    var scope: UInt32

    static let none = UInt32.max
  }

  /// Sums over like micro-ops.
  private struct Sum {
    var first: Finding.Site
    var count = 0
    var bytes: Int64 = 0
    var bursts: Int64 = 0
  }

  private func forEachData(_ body: (Int, Int, OpRecord) -> Void) {
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() where record.kind == .data { body(core, op, record) }
    }
  }

  private func tile(_ record: OpRecord, _ k: Int) -> TileRef {
    program.tiles[Int(record.words[k])]
  }

  private static func scopeGroups(_ scopes: [Scope]) -> [UInt32] {
    struct Path: Hashable {
      var parent: UInt32
      var label: UInt32
    }
    var known: [Path: UInt32] = [:]
    var groups: [UInt32] = []
    groups.reserveCapacity(scopes.count)
    for scope in scopes {
      // A scope is opened after the one around it.
      let parent = Int(scope.parent) < groups.count ? groups[Int(scope.parent)] : 0
      let path = Path(parent: parent, label: scope.label)
      let group = known[path] ?? UInt32(known.count)
      known[path] = group
      groups.append(group)
    }
    return groups
  }

  // MARK: P004

  /// Transfers whose rows do not fill whole bursts.
  func unfilledBursts() -> [Finding] {
    let burst = Int64(layout.burst)
    guard burst > 1 else { return [] }
    var order: [Key] = []
    var sums: [Key: Sum] = [:]
    forEachData { core, op, record in
      let work = program.works[Int(record.work)]
      guard work.hbmBytes > work.usefulBytes else { return }
      var tensor = Key.none
      for k in 0..<Int(record.operandCount) where tensor == Key.none {
        guard !record.access(k).isEmpty, tile(record, k).space == .hbm else { continue }
        tensor = tile(record, k).buffer
      }
      let key = Key(
        core: core, opcode: record.opcode, first: tensor, scope: groups[Int(record.scope)])
      var sum = sums[key] ?? Sum(first: .init(core: core, op: op))
      if sum.count == 0 { order.append(key) }
      sum.count += 1
      sum.bytes += work.usefulBytes
      sum.bursts += work.hbmBytes
      sums[key] = sum
    }
    return order.compactMap { key in
      guard let sum = sums[key] else { return nil }
      let waste = sum.bursts - sum.bytes
      guard waste >= Self.leastWaste * burst, waste * Self.wasteShare > sum.bursts else {
        return nil
      }
      let buffer = key.first == Key.none ? nil : key.first
      let name = buffer.map { program.buffers[Int($0)].name } ?? "its tensor"
      return Finding(
        .P004,
        "\(writer.describe(sum.first)) and its like move \(sum.bytes) bytes of \(name) in "
          + "\(sum.bursts) bytes of whole bursts: \(waste * 100 / sum.bursts) % is thrown away",
        sites: [sum.first], buffer: buffer,
        fix: "take rows that touch, or widths of a multiple of \(burst) bytes",
        folded: sum.count - 1)
    }
  }

  // MARK: P005

  /// Vector micro-ops that read two tiles whose rows start in one bank group.
  ///
  /// Blocks of the memory's alignment go round the groups in turn; two operands that start in one
  /// group keep meeting there.
  func bankConflicts() -> [Finding] {
    let memory = program.machine[.ub]
    guard let banks = memory.banks, banks.groups > 1, memory.alignment > 0 else { return [] }
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    forEachData { core, op, record in
      guard record.queue == .vector else { return }
      var sources = 0
      var places = (0, 0)
      for k in 0..<Int(record.operandCount)
      where record.access(k).contains(.read) && tile(record, k).columns > 1 {
        if sources == 0 { places.0 = k }
        if sources == 1 { places.1 = k }
        sources += 1
      }
      guard sources > 1 else { return }
      let a = tile(record, places.0)
      let b = tile(record, places.1)
      guard let first = start(of: a), let second = start(of: b), first != second else { return }
      let group = { (start: Int) in start / memory.alignment % banks.groups }
      guard group(first) == group(second) else { return }
      let key = Key(
        core: core, opcode: record.opcode, first: a.buffer, second: b.buffer,
        scope: groups[Int(record.scope)])
      if let index = known[key] {
        result[index].folded += 1
        return
      }
      known[key] = result.count
      let site = Finding.Site(core: core, op: op)
      let name = program.buffers[Int(b.buffer)].name
      result.append(
        Finding(
          .P005,
          "\(writer.describe(site)) reads \(program.describe(a)) and \(program.describe(b)), which "
            + "both start in bank group \(group(first)) of \(banks.groups)",
          sites: [site], buffer: b.buffer,
          fix: "start \(name) \(memory.alignment) bytes later: a padding of one block puts it in "
            + "group \((group(second) + 1) % banks.groups)"))
    }
    return result
  }

  /// The first byte of a tile's payload; `nil` for an empty tile.
  private func start(of tile: TileRef) -> Int? {
    var result: Int?
    layout.forEachPayloadRegion(tile) { if result == nil { result = $0.base } }
    return result
  }

  // MARK: P006

  /// Single slots that one queue fills and another one reads, in turns.
  func singleBuffers() -> [Finding] {
    struct Turns {
      var firstFill: Finding.Site
      var firstRead: Finding.Site?
      var isRead = false
      var count = 0
    }
    // An on-chip buffer belongs to one core.
    var order: [UInt32] = []
    var turns = [Turns?](repeating: nil, count: program.buffers.count)
    let isSingle = program.buffers.map { $0.space.isOnChip && $0.slots == 1 }
    forEachData { core, op, record in
      let site = Finding.Site(core: core, op: op)
      for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
        let tile = tile(record, k)
        let buffer = Int(tile.buffer)
        guard isSingle[buffer] else { continue }
        let isFill =
          record.access(k) == .write || record.access(k) == [.write, .zeroFill]
        if isFill && record.queue != .vector && record.queue != .matrix {
          if turns[buffer] == nil { order.append(tile.buffer) }
          var entry = turns[buffer] ?? Turns(firstFill: site)
          if entry.isRead && tile.row == 0 && tile.column == 0 { entry.count += 1 }
          entry.isRead = false
          turns[buffer] = entry
        } else if record.access(k).contains(.read), var entry = turns[buffer],
          writer.record(entry.firstFill).queue != record.queue
        {
          entry.isRead = true
          if entry.firstRead == nil { entry.firstRead = site }
          turns[buffer] = entry
        }
      }
    }
    return order.compactMap { buffer in
      guard let entry = turns[Int(buffer)], entry.count >= Self.fewestTurns,
        let read = entry.firstRead
      else { return nil }
      let fill = writer.record(entry.firstFill).queue.name
      let reader = writer.record(read).queue.name
      return Finding(
        .P006,
        "\(program.buffers[Int(buffer)].name) has one slot, which \(fill) fills again "
          + "\(entry.count) times: each time it waits until \(reader) has read it, and \(reader) "
          + "waits for \(fill)",
        sites: [entry.firstFill, read], buffer: buffer,
        fix: "give it two slots, as a ring, and fill one ahead")
    }
  }

  // MARK: P008

  /// Micro-ops whose results nobody reads.
  func deadStores(_ sites: [Finding.Site]) -> [Finding] {
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    for site in sites {
      let record = writer.record(site)
      guard
        let k = (0..<Int(record.operandCount)).first(where: { record.access($0).contains(.write) })
      else { continue }
      let tile = tile(record, k)
      let key = Key(
        core: site.core, opcode: record.opcode, first: tile.buffer,
        scope: groups[Int(record.scope)])
      // In a ring it may be the slot that is wrong: then nothing is to be removed.
      let isRing = tile.space.isOnChip && program.buffers[Int(tile.buffer)].slots > 1
      let edits: [ProgramEdit] = isRing ? [] : [.remove(core: site.core, ops: [site.op])]
      if let index = known[key] {
        result[index].folded += 1
        result[index].edits += edits
        continue
      }
      known[key] = result.count
      result.append(
        Finding(
          .P008,
          "\(writer.describe(site)) writes \(program.describe(tile)), which nothing reads before it "
            + "is overwritten or the program ends",
          sites: [site], buffer: tile.buffer,
          fix: isRing
            ? writer.remedy(slot: tile.slot, of: tile.buffer)
            : "remove the micro-op, or read its result", edits: edits))
    }
    return result
  }
}
