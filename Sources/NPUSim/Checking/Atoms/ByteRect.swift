/// A rectangle of bytes that a footprint covers, in the coordinates of its domain.
///
/// A domain is one slot of one allocation, with the allocation's rows and the bytes of a row as
/// axes; or, where allocations share bytes, a range of a plane with addresses as columns of one row.
/// Bytes of different domains are different bytes.
struct ByteRect {
  var domain: UInt32
  /// Whose bytes they are.
  var footprint: UInt32
  var rowStart: Int
  var rowEnd: Int
  var columnStart: Int
  var columnEnd: Int

  func hasExtent(of other: ByteRect) -> Bool {
    rowStart == other.rowStart && rowEnd == other.rowEnd && columnStart == other.columnStart
      && columnEnd == other.columnEnd
  }
}
