/// Rectangles that overlap in part so often that they are judged whole instead of by their atoms.
///
/// They lie in an order in which neighbours are alike in size and close together, and form a tree: the
/// rectangles are its lowest level, and a node of each higher one stands for ``fanOut`` nodes of the
/// level below. A rectangle is found in few steps, and the tree takes a seventh of its leaves.
struct Crowd {
  /// Children of a node.
  static let fanOut = 8

  /// The domain whose bytes they are.
  var domain: UInt32
  /// Coordinates of the rectangles, in the order of the tree.
  private(set) var rects: [CrowdRect] = []
  /// Whose bytes each is.
  private(set) var footprints: [UInt32] = []
  /// What each node of the higher levels encloses, lowest level first.
  private(set) var bounds: [CrowdRect] = []
  /// Where each level ends in ``bounds``.
  private(set) var levelEnds: [Int] = []
  /// Cells along the axes.
  private(set) var rows: UInt32
  private(set) var columns: UInt32

  init(_ own: UnsafeBufferPointer<ByteRect>) {
    domain = own.first?.domain ?? 0
    let rowCuts = Self.cuts(own, { $0.rowStart }, { $0.rowEnd })
    let columnCuts = Self.cuts(own, { $0.columnStart }, { $0.columnEnd })
    rows = UInt32(truncatingIfNeeded: rowCuts.count - 1)
    columns = UInt32(truncatingIfNeeded: columnCuts.count - 1)
    var order: [(key: UInt64, place: UInt32)] = []
    order.reserveCapacity(own.count)
    var unordered: [CrowdRect] = []
    unordered.reserveCapacity(own.count)
    for (place, rect) in own.enumerated() {
      let cells = CrowdRect(
        rowStart: Self.place(of: rect.rowStart, in: rowCuts),
        rowEnd: Self.place(of: rect.rowEnd, in: rowCuts),
        columnStart: Self.place(of: rect.columnStart, in: columnCuts),
        columnEnd: Self.place(of: rect.columnEnd, in: columnCuts))
      unordered.append(cells)
      order.append((key(of: cells), UInt32(truncatingIfNeeded: place)))
    }
    order.sort { $0 < $1 }
    rects.reserveCapacity(own.count)
    footprints.reserveCapacity(own.count)
    for (_, place) in order {
      rects.append(unordered[Int(place)])
      footprints.append(own[Int(place)].footprint)
    }
    encloseLevels()
  }

  private mutating func encloseLevels() {
    var below = rects[...]
    while below.count > 1 {
      var level: [CrowdRect] = []
      for first in stride(from: below.startIndex, to: below.endIndex, by: Self.fanOut) {
        var bound = below[first]
        for child in below[first..<min(first + Self.fanOut, below.endIndex)] {
          bound.enclose(child)
        }
        level.append(bound)
      }
      bounds += level
      levelEnds.append(bounds.count)
      below = level[...]
    }
  }

  // MARK: Order

  /// The sorted distinct ends of the rectangles along an axis.
  private static func cuts(
    _ rects: UnsafeBufferPointer<ByteRect>, _ start: (ByteRect) -> Int, _ end: (ByteRect) -> Int
  ) -> [Int] {
    var cuts: [Int] = []
    cuts.reserveCapacity(rects.count * 2)
    for rect in rects {
      cuts.append(start(rect))
      cuts.append(end(rect))
    }
    cuts.sort()
    var kept = 0
    for index in cuts.indices where index == 0 || cuts[index] != cuts[index - 1] {
      if kept != index { cuts[kept] = cuts[index] }
      kept += 1
    }
    cuts.removeLast(cuts.count - kept)
    return cuts
  }

  private static func place(of cut: Int, in cuts: [Int]) -> UInt32 {
    var low = 0
    var high = cuts.count
    while low < high {
      let middle = (low + high) / 2
      if cuts[middle] < cut { low = middle + 1 } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  /// Orders by the magnitudes of both sides, then along a Z-curve through the middles.
  private func key(of rect: CrowdRect) -> UInt64 {
    let height = UInt64(UInt32.bitWidth - (rect.rowEnd - rect.rowStart).leadingZeroBitCount)
    let width = UInt64(UInt32.bitWidth - (rect.columnEnd - rect.columnStart).leadingZeroBitCount)
    let row = UInt64(rect.rowStart) + UInt64(rect.rowEnd)
    let column = UInt64(rect.columnStart) + UInt64(rect.columnEnd)
    // 26 bits a coordinate are left beside the magnitudes.
    let bits = UInt64.bitWidth - (UInt64(max(rows, columns)) * 2).leadingZeroBitCount
    let shift = UInt64(max(0, bits - 26))
    return height << 58 | width << 52 | Self.spread(row >> shift) << 1
      | Self.spread(column >> shift)
  }

  /// Puts a free bit behind each of the low 26 bits.
  private static func spread(_ value: UInt64) -> UInt64 {
    var bits = value & 0x03FF_FFFF
    bits = (bits | bits << 16) & 0x0000_FFFF_0000_FFFF
    bits = (bits | bits << 8) & 0x00FF_00FF_00FF_00FF
    bits = (bits | bits << 4) & 0x0F0F_0F0F_0F0F_0F0F
    bits = (bits | bits << 2) & 0x3333_3333_3333_3333
    return (bits | bits << 1) & 0x5555_5555_5555_5555
  }
}
