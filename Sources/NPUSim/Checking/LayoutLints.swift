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

  init(_ program: Program, layout: TileLayout, _ writer: FindingWriter) {
    self.program = program
    self.layout = layout
    self.writer = writer
  }

  /// What like micro-ops have in common: core, opcode, buffer and scope without iterations.
  private struct Key: Hashable {
    var core: Int
    var opcode: UInt8
    var buffers: [UInt32]
    var scope: UInt32
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

  /// One number for each path of scope labels, so that keys need no text.
  private func scopeGroups() -> [UInt32] {
    var known: [String: UInt32] = [:]
    return program.scopes.indices.map { scope in
      let path = writer.labels(UInt32(scope))
      if let number = known[path] { return number }
      known[path] = UInt32(known.count)
      return UInt32(known.count - 1)
    }
  }

  // MARK: P004

  /// Transfers whose rows do not fill whole bursts.
  func unfilledBursts() -> [Finding] {
    let burst = Int64(layout.burst)
    guard burst > 1 else { return [] }
    let groups = scopeGroups()
    var order: [Key] = []
    var sums: [Key: Sum] = [:]
    forEachData { core, op, record in
      let work = program.works[Int(record.work)]
      guard work.hbmBytes > work.usefulBytes else { return }
      let tensors = (0..<Int(record.operandCount)).compactMap { k -> UInt32? in
        guard !record.access(k).isEmpty, tile(record, k).space == .hbm else { return nil }
        return tile(record, k).buffer
      }
      let key = Key(
        core: core, opcode: record.opcode, buffers: tensors, scope: groups[Int(record.scope)])
      if sums[key] == nil { order.append(key) }
      var sum = sums[key] ?? Sum(first: .init(core: core, op: op))
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
      let name = key.buffers.first.map { program.buffers[Int($0)].name } ?? "its tensor"
      return Finding(
        .P004,
        "\(writer.describe(sum.first)) and its like move \(sum.bytes) bytes of \(name) in "
          + "\(sum.bursts) bytes of whole bursts: \(waste * 100 / sum.bursts) % is thrown away",
        sites: [sum.first], buffer: key.buffers.first,
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
    let groups = scopeGroups()
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    forEachData { core, op, record in
      guard record.queue == .vector else { return }
      let sources = (0..<Int(record.operandCount)).filter { k in
        record.access(k).contains(.read) && tile(record, k).columns > 1
      }
      guard sources.count > 1 else { return }
      let a = tile(record, sources[0])
      let b = tile(record, sources[1])
      guard let first = layout.payloadRegions(a).first, let second = layout.payloadRegions(b).first,
        first.base != second.base
      else { return }
      let group = { (region: Region) in region.base / memory.alignment % banks.groups }
      guard group(first) == group(second) else { return }
      let key = Key(
        core: core, opcode: record.opcode, buffers: [a.buffer, b.buffer],
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

  // MARK: P006

  /// Single slots that one queue fills and another one reads, in turns.
  func singleBuffers() -> [Finding] {
    struct Turns {
      var firstFill: Finding.Site
      var firstRead: Finding.Site?
      var isRead = false
      var count = 0
    }
    var order: [Key] = []
    var turns: [Key: Turns] = [:]
    forEachData { core, op, record in
      let site = Finding.Site(core: core, op: op)
      for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
        let tile = tile(record, k)
        guard tile.space.isOnChip, program.buffers[Int(tile.buffer)].slots == 1 else { continue }
        let key = Key(core: core, opcode: 0, buffers: [tile.buffer], scope: 0)
        let isFill =
          record.access(k) == .write || record.access(k) == [.write, .zeroFill]
        if isFill && record.queue != .vector && record.queue != .matrix {
          if turns[key] == nil { order.append(key) }
          var entry = turns[key] ?? Turns(firstFill: site)
          if entry.isRead && tile.row == 0 && tile.column == 0 { entry.count += 1 }
          entry.isRead = false
          turns[key] = entry
        } else if record.access(k).contains(.read), var entry = turns[key],
          writer.record(entry.firstFill).queue != record.queue
        {
          entry.isRead = true
          if entry.firstRead == nil { entry.firstRead = site }
          turns[key] = entry
        }
      }
    }
    return order.compactMap { key in
      guard let entry = turns[key], entry.count >= Self.fewestTurns, let read = entry.firstRead,
        let buffer = key.buffers.first
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
    let groups = scopeGroups()
    var result: [Finding] = []
    var known: [Key: Int] = [:]
    for site in sites {
      let record = writer.record(site)
      guard
        let k = (0..<Int(record.operandCount)).first(where: { record.access($0).contains(.write) })
      else { continue }
      let tile = tile(record, k)
      let key = Key(
        core: site.core, opcode: record.opcode, buffers: [tile.buffer],
        scope: groups[Int(record.scope)])
      let edit = ProgramEdit.remove(core: site.core, ops: [site.op])
      if let index = known[key] {
        result[index].folded += 1
        result[index].edits.append(edit)
        continue
      }
      known[key] = result.count
      result.append(
        Finding(
          .P008,
          "\(writer.describe(site)) writes \(program.describe(tile)), which nothing reads before it "
            + "is overwritten or the program ends",
          sites: [site], buffer: tile.buffer,
          fix: "remove the micro-op, or read its result", edits: [edit]))
    }
    return result
  }
}
