/// Finds slots of rings that are filled for nothing: written, and not read before they are written again
/// or the program ends, in whole or in part.
///
/// In a ring that is what a wrong slot looks like, at either end: what was sent to, or is taken from,
/// another slot leaves one unread. The order is that of the program, which is what its author meant,
/// so that it is of use where the micro-ops race.
struct UnreadSlots {
  /// A slot that a statement fills and nobody reads.
  struct Slot {
    var buffer: UInt32
    var slot: Int32
    /// The first micro-op of the statement that fills it for nothing.
    var fill: Finding.Site
    /// Whether other bytes of the fill are read.
    var isPartial: Bool
    /// How often it does.
    var count = 1
    /// A micro-op that reads another slot of the buffer instead, which was read before and not written
    /// since, or never written.
    var staleRead: (site: Finding.Site, slot: Int32)?
  }

  private struct Fill {
    var op: Int
    var buffer: UInt32
    var slot: Int32
    var isPartial = false
  }

  private let program: Program
  private let table: AtomTable
  private let isRing: [Bool]

  init(_ program: Program, table: AtomTable) {
    self.program = program
    self.table = table
    isRing = program.buffers.map { $0.space.isOnChip && $0.slots > 1 }
  }

  /// The unread slots of every core, a statement of a buffer and slot each: those that nobody reads at
  /// all before the others, in program order.
  func slots(_ writer: FindingWriter) -> [Slot] {
    struct Key: Hashable {
      var buffer: UInt32
      var slot: Int32
      var statement: Statement
    }
    guard isRing.contains(true) else { return [] }
    var result: [Slot] = []
    for core in program.cores.indices {
      let fills = unreadFills(core)
      // Most programs have none, and need no second look.
      if fills.isEmpty { continue }
      let stale = staleReads(core, of: Set(fills.map(\.buffer)))
      var known: [Key: Int] = [:]
      for fill in fills {
        let site = Finding.Site(core: core, op: fill.op)
        let key = Key(
          buffer: fill.buffer, slot: fill.slot, statement: writer.statement(site))
        if let index = known[key] {
          result[index].count += 1
          result[index].isPartial = result[index].isPartial && fill.isPartial
          continue
        }
        known[key] = result.count
        let reads = stale[fill.buffer, default: []].filter { $0.slot != fill.slot }
        let read = reads.first { $0.op > fill.op } ?? reads.last
        result.append(
          Slot(
            buffer: fill.buffer, slot: fill.slot, fill: site, isPartial: fill.isPartial,
            staleRead: read.map { (.init(core: core, op: $0.op), $0.slot) }))
      }
    }
    return result.filter { !$0.isPartial } + result.filter(\.isPartial)
  }

  /// The fills of rings of which nobody reads some byte.
  private func unreadFills(_ core: Int) -> [Fill] {
    let records = program.cores[core]
    var use = Use(atoms: table.firstShared, count: records.count)
    walk(core, &use) { _, _ in }
    for atom in use.lastWriter.indices { use.overwrite(atom) }
    return records.indices.filter { use.isFill[$0] && (!use.isUsed[$0] || use.isWasted[$0]) }
      .compactMap { op in
        let record = records[op]
        let written = (0..<Int(record.operandCount)).first {
          record.access($0).contains(.write) && ringTile(record, $0) != nil
        }
        return written.flatMap { ringTile(record, $0) }.map {
          Fill(op: op, buffer: $0.buffer, slot: $0.slot, isPartial: use.isUsed[op])
        }
      }
  }

  /// By buffer, the reads of what was read already, or never written.
  private func staleReads(_ core: Int, of buffers: Set<UInt32>) -> [UInt32: [Fill]] {
    var use = Use(atoms: table.firstShared, count: program.cores[core].count)
    var result: [UInt32: [Fill]] = [:]
    walk(core, &use) { op, tile in
      guard buffers.contains(tile.buffer) else { return }
      result[tile.buffer, default: []].append(
        Fill(op: op, buffer: tile.buffer, slot: tile.slot))
    }
    return result
  }

  /// What is known of the atoms, and of the micro-ops that fill them.
  private struct Use {
    /// By atom, the last micro-op that wrote it, −1 for none, and whether it was read since.
    var lastWriter: [Int32]
    var wasRead: [Bool]
    /// By micro-op, whether it fills a slot, whether it has other results, which come with it whether
    /// they are wanted or not, and whether a byte of it was read, or was not.
    var isFill: [Bool]
    var hasSeveral: [Bool]
    var isUsed: [Bool]
    var isWasted: [Bool]

    init(atoms: Int, count: Int) {
      lastWriter = Array(repeating: -1, count: atoms)
      wasRead = Array(repeating: false, count: atoms)
      isFill = Array(repeating: false, count: count)
      hasSeveral = Array(repeating: false, count: count)
      isUsed = Array(repeating: false, count: count)
      isWasted = Array(repeating: false, count: count)
    }

    /// Notes that what was last written to an atom is gone, or the program at its end.
    mutating func overwrite(_ atom: Int) {
      guard lastWriter[atom] >= 0, !wasRead[atom] else { return }
      let writer = Int(lastWriter[atom])
      isWasted[writer] = !hasSeveral[writer]
    }
  }

  /// Goes through the rings' reads and writes in the order of the program, and hears of stale reads.
  private func walk(_ core: Int, _ use: inout Use, _ onStale: (Int, TileRef) -> Void) {
    for (op, record) in program.cores[core].enumerated() where record.accessBits != 0 {
      let operands = 0..<min(Int(record.operandCount), OpRecord.maximumOperands)
      for k in operands where record.access(k).contains(.read) {
        guard let tile = ringTile(record, k) else { continue }
        var isStale = true
        var isEmpty = true
        for atom in atoms(record, k, .read) {
          if use.lastWriter[atom] >= 0 {
            use.isUsed[Int(use.lastWriter[atom])] = true
            isStale = isStale && use.wasRead[atom]
          }
          use.wasRead[atom] = true
          isEmpty = false
        }
        // A chain that goes on in its own tile is no second reader.
        if isStale && !isEmpty && !record.access(k).contains(.write) { onStale(op, tile) }
      }
      let results = operands.filter { record.access($0).contains(.write) }
      use.hasSeveral[op] = results.count > 1
      for k in results {
        guard let tile = ringTile(record, k) else { continue }
        // What fills up a last block is not there to be read: it counts as read.
        let hasPadding = record.access(k).contains(.zeroFill) && tile.hasRaggedBlock
        for atom in atoms(record, k, .write) {
          use.overwrite(atom)
          use.isFill[op] = true
          use.lastWriter[atom] = Int32(truncatingIfNeeded: op)
          use.wasRead[atom] = hasPadding
        }
        if !hasPadding { continue }
        for atom in atoms(record, k, .read) { use.wasRead[atom] = false }
      }
    }
  }

  /// The atoms on chip of an operand, as it is read or written.
  private func atoms(_ record: OpRecord, _ k: Int, _ access: Access) -> some Sequence<Int> {
    let isFilled = access == .write && record.access(k).contains(.zeroFill)
    let footprint = AtomTable.footprint(tile: record.words[k], filled: isFilled)
    return table.atoms[Int(table.starts[footprint])..<Int(table.starts[footprint + 1])].lazy
      .map { Int($0) }.filter { $0 < table.firstShared }
  }

  private func ringTile(_ record: OpRecord, _ k: Int) -> TileRef? {
    guard !record.access(k).isEmpty, Int(record.words[k]) < program.tiles.count else { return nil }
    let tile = program.tiles[Int(record.words[k])]
    return Int(tile.buffer) < isRing.count && isRing[Int(tile.buffer)] ? tile : nil
  }
}
