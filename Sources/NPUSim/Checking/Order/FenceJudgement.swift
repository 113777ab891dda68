/// Reads of HBM bytes that the core wrote itself and that no barrier on all queues separates from the
/// write: an error where the machine demands one, a lint where an event is enough.
///
/// The order of the program is sound, so that an event, or a chain of them, stands between the two. On
/// machines that write through buffers of their own, an event says that the write has left the core,
/// and not yet that a read finds it.
struct FenceJudgement {
  /// A read of bytes that no barrier on all queues separates from their write.
  struct Unfenced {
    var write: Finding.Site
    var read: Finding.Site
    /// The tile that is read.
    var tile: UInt32
  }

  /// A write to HBM, and how many barriers on all queues came before it.
  private struct Write {
    var op: Int
    var fences: Int
  }

  private let program: Program
  private let table: AtomTable

  init(_ program: Program, table: AtomTable) {
    self.program = program
    self.table = table
  }

  /// Whether a program reads HBM bytes of a tensor that it writes; most do not.
  var isNeeded: Bool {
    var written: Set<UInt32> = []
    var read: Set<UInt32> = []
    for records in program.cores {
      for record in records where record.accessBits != 0 {
        for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
          let tile = program.tiles[Int(record.words[k])]
          guard tile.space == .hbm else { continue }
          if record.access(k).contains(.write) { written.insert(tile.buffer) }
          if record.access(k).contains(.read) { read.insert(tile.buffer) }
        }
      }
    }
    return !written.isDisjoint(with: read)
  }

  /// The reads of a program whose order is sound, each with its last such write, in the order of
  /// execution of each core.
  func reads(_ orders: [OrderRecord]) -> [Unfenced] {
    var result: [Unfenced] = []
    for (core, order) in orders.enumerated() {
      forEachUnfenced(core, order) { write, read, tile in
        result.append(
          Unfenced(
            write: .init(core: core, op: write), read: .init(core: core, op: read), tile: tile))
      }
    }
    return result
  }

  /// Hears of each read that finds bytes of a write behind which no barrier on all queues stands, once
  /// a micro-op: of its last such write.
  private func forEachUnfenced(
    _ core: Int, _ order: OrderRecord, _ body: (Int, Int, UInt32) -> Void
  ) {
    var atoms: [Int: Write] = [:]
    var crowds: [Int: PaintMap] = [:]
    // What the numbers in a crowd's map stand for, from 1 on.
    var writes: [Write] = []
    var fences = 0
    for entry in order.sequence {
      let op = Int(entry)
      let record = program.cores[core][op]
      if record.kind == .barrierAll || record.kind == .barrierCores { fences += 1 }
      guard record.accessBits != 0 else { continue }
      var latest: (write: Int, tile: UInt32)?
      func meet(_ write: Write, _ tile: UInt32) {
        if write.fences == fences && write.op >= latest?.write ?? 0 { latest = (write.op, tile) }
      }
      AccessIndex.forEachAccess(record, table) { atom, isWrite, tile, _ in
        if isWrite || !isShared(atom) { return }
        if atom < table.count {
          if let write = atoms[atom] { meet(write, tile) }
        } else {
          let (own, place) = table.crowd(of: atom)
          crowds[own]?.visit(table.crowds[own].crowd.rects[place]) { number, _ in
            if number > 0 { meet(writes[Int(number) - 1], tile) }
            return true
          }
        }
      }
      if let latest { body(latest.write, op, latest.tile) }
      AccessIndex.forEachAccess(record, table) { atom, isWrite, _, _ in
        guard isWrite, isShared(atom) else { return }
        let write = Write(op: op, fences: fences)
        if atom < table.count {
          atoms[atom] = write
        } else {
          let (own, place) = table.crowd(of: atom)
          let crowd = table.crowds[own].crowd
          writes.append(write)
          crowds[own, default: PaintMap(rows: crowd.rows, columns: crowd.columns)]
            .paint(crowd.rects[place], UInt32(truncatingIfNeeded: writes.count))
        }
      }
    }
  }

  /// Whether an atom, or a rectangle of a crowd, lies in HBM.
  private func isShared(_ atom: Int) -> Bool {
    atom < table.count
      ? atom >= table.firstShared : table.crowds[table.crowd(of: atom).crowd].isShared
  }
}
