/// A rectangle of a matrix that one turn of a streaming kernel works on.
struct RowTile: Sendable, Hashable {
  var rows: Range<Int>
  var columns: Range<Int>

  /// The rectangles of `rows × columns` in row-major order, at most `tileRows × tileColumns` each.
  static func cut(rows: Range<Int>, columns: Range<Int>, tileRows: Int, tileColumns: Int)
    -> [RowTile]
  {
    pieces(rows, tileRows).flatMap { part in
      pieces(columns, tileColumns).map { RowTile(rows: part, columns: $0) }
    }
  }

  /// A range in pieces of `size`, the last one shorter where need be.
  static func pieces(_ range: Range<Int>, _ size: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: max(1, size)).map {
      $0..<min($0 + max(1, size), range.upperBound)
    }
  }
}
