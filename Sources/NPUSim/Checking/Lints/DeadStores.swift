/// Finds micro-ops whose results nobody reads: every byte they write on chip is overwritten, or left
/// at the end, without an ordered read in between.
///
/// A write to HBM counts as read: it is what a program is for. The program must be clean, so that
/// the order of one execution is the order of all.
struct DeadStores {
  private let program: Program
  private let table: AtomTable

  init(_ program: Program, table: AtomTable) {
    self.program = program
    self.table = table
  }

  /// The micro-ops of a core, in program order.
  func micros(core: Int, order: OrderRecord) -> [Int] {
    let records = program.cores[core]
    var lastWriter = [Int32](repeating: -1, count: table.firstShared)
    var writes = [Bool](repeating: false, count: records.count)
    var isRead = [Bool](repeating: false, count: records.count)
    // In crowds, 1 + the last writer, until that is read.
    var crowds: [Int: PaintMap] = [:]
    for entry in order.sequence {
      let op = Int(entry)
      let record = records[op]
      guard record.accessBits != 0 else { continue }
      AccessIndex.forEachAccess(record, table) { atom, isWrite, _, _ in
        if isWrite { return }
        if atom >= table.count {
          let (own, place) = table.crowd(of: atom)
          let rect = table.crowds[own].crowd.rects[place]
          var isUnread = false
          crowds[own]?.visit(rect) { writer, _ in
            if writer > 0 {
              isRead[Int(writer) - 1] = true
              isUnread = true
            }
            return true
          }
          if isUnread { crowds[own]?.paint(rect, 0) }
        } else if atom < table.firstShared, lastWriter[atom] >= 0 {
          isRead[Int(lastWriter[atom])] = true
        }
      }
      AccessIndex.forEachAccess(record, table) { atom, isWrite, _, _ in
        guard isWrite else { return }
        writes[op] = true
        if atom >= table.count {
          let (own, place) = table.crowd(of: atom)
          if table.crowds[own].isShared {
            isRead[op] = true
          } else {
            let crowd = table.crowds[own].crowd
            crowds[own, default: PaintMap(rows: crowd.rows, columns: crowd.columns)]
              .paint(crowd.rects[place], UInt32(truncatingIfNeeded: op + 1))
          }
        } else if atom < table.firstShared {
          lastWriter[atom] = Int32(truncatingIfNeeded: op)
        } else {
          isRead[op] = true
        }
      }
    }
    return records.indices.filter { writes[$0] && !isRead[$0] }
  }
}
