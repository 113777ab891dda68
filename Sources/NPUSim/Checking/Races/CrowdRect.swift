/// A rectangle in the coordinates of a crowd: places among the row and column cuts of its group.
struct CrowdRect: Equatable {
  var rowStart: UInt32
  var rowEnd: UInt32
  var columnStart: UInt32
  var columnEnd: UInt32

  @inline(__always) func overlaps(_ other: CrowdRect) -> Bool {
    rowStart < other.rowEnd && other.rowStart < rowEnd && columnStart < other.columnEnd
      && other.columnStart < columnEnd
  }

  @inline(__always) func contains(_ other: CrowdRect) -> Bool {
    rowStart <= other.rowStart && other.rowEnd <= rowEnd && columnStart <= other.columnStart
      && other.columnEnd <= columnEnd
  }

  /// What lies in both of two rectangles that overlap.
  func intersection(_ other: CrowdRect) -> CrowdRect {
    CrowdRect(
      rowStart: max(rowStart, other.rowStart), rowEnd: min(rowEnd, other.rowEnd),
      columnStart: max(columnStart, other.columnStart),
      columnEnd: min(columnEnd, other.columnEnd))
  }

  /// Grows to hold another rectangle.
  @inline(__always) mutating func enclose(_ other: CrowdRect) {
    rowStart = min(rowStart, other.rowStart)
    rowEnd = max(rowEnd, other.rowEnd)
    columnStart = min(columnStart, other.columnStart)
    columnEnd = max(columnEnd, other.columnEnd)
  }
}
