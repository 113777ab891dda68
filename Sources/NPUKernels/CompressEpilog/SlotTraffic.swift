/// Bursts that rows of dense tensors cost when micro-ops move `tileRows` listed rows each.
struct SlotTraffic {
  /// Bytes of a burst.
  var burst: Int
  /// Rows that one micro-op moves.
  var tileRows: Int

  /// Bursts of a list of rows of tensors with `bytes` a row: neighbours in one micro-op that touch
  /// share theirs.
  func bursts(_ rows: [Int32], bytes: [Int]) -> Int {
    var total = 0
    var first = 0
    for index in rows.indices {
      let next = index + 1
      if next < rows.count && next % tileRows != 0 && rows[next] == rows[index] + 1 { continue }
      for size in bytes {
        total += ((Int(rows[index]) + 1) * size + burst - 1) / burst
        total -= Int(rows[first]) * size / burst
      }
      first = next
    }
    return total
  }
}
