import NPUSim

/// What a slot mapping asks for: which row is written to which slot.
struct SlotBinding {
  /// A row and its slot.
  struct Move {
    var row: Int32
    var slot: Int32
  }

  /// One for each slot that is written, the last row that names it, in the order of the slots.
  private(set) var moves: [Move] = []
  /// Rows with slot −1.
  private(set) var skipped = 0
  /// Rows that lose their slot to a later one.
  private(set) var duplicates = 0
  /// Rows whose slot does not exist.
  private(set) var invalid: [Move] = []

  init(_ mapping: [Int32], slots: Int) {
    var named: [Move] = []
    named.reserveCapacity(mapping.count)
    for (row, slot) in mapping.enumerated() {
      let move = Move(row: Int32(clamping: row), slot: slot)
      if slot == -1 {
        skipped += 1
      } else if slot < 0 || Int(slot) >= slots {
        invalid.append(move)
      } else {
        named.append(move)
      }
    }
    named.sort { ($0.slot, $0.row) < ($1.slot, $1.row) }
    for (index, move) in named.enumerated() {
      if index + 1 < named.count && named[index + 1].slot == move.slot {
        duplicates += 1
      } else {
        moves.append(move)
      }
    }
  }

  /// A program cannot be run with slots that do not exist.
  var defect: ProgramDefect? {
    guard let first = invalid.first else { return nil }
    let others = invalid.count == 1 ? "" : "; \(invalid.count - 1) more rows have no slot either"
    return ProgramDefect(
      code: .M006,
      message:
        "slot_mapping sends row \(first.row) to slot \(first.slot), which the cache does not "
        + "have\(others)", core: 0,
      fix: "name a slot of the cache, or -1 to leave the row out; --slots sets how many there are")
  }
}
