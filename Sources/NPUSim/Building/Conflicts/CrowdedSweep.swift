/// Finds the tiles of one group of buffers whose rectangles meet, along the axis on which fewer do.
struct CrowdedSweep {
  private let rects: [TileRect]
  /// Whether rectangles can be compared: all tiles are of one buffer, format and block axis.
  private let isEven: Bool

  init(_ rects: [TileRect], isEven: Bool) {
    self.rects = rects
    self.isEven = isEven
  }

  private struct Extent {
    var first: Int64
    var end: Int64
    var member: Int
  }

  /// Calls `body` with every pair of members that may share bytes, and some more; false where there
  /// are more than `limit` of them, and then it is not called.
  func forEachPair(
    of members: ArraySlice<Int>, limit: Int, _ body: (Int, Int) -> Void
  ) -> Bool {
    guard members.count > 1 else { return true }
    guard isEven else {
      guard members.count <= limit / members.count else { return false }
      for (place, a) in members.enumerated() {
        for b in members.dropFirst(place + 1) { body(a, b) }
      }
      return true
    }
    // Tiles begin on whole blocks: those that share a scale share elements.
    let byRow = extents(members, \.rows)
    let byColumn = extents(members, \.columns)
    let (rowPairs, columnPairs) = (Self.count(byRow), Self.count(byColumn))
    guard min(rowPairs, columnPairs) <= limit else { return false }
    Self.sweep(rowPairs <= columnPairs ? byRow : byColumn, body)
    return true
  }

  /// Members along one axis, slot behind slot, in the order of their first lines.
  private func extents(
    _ members: ArraySlice<Int>, _ lines: KeyPath<TileRect, Range<Int32>>
  ) -> [Extent] {
    members.map { member in
      let range = rects[member][keyPath: lines]
      let base = Int64(rects[member].slot) << 32
      return Extent(
        first: base + Int64(range.lowerBound), end: base + Int64(range.upperBound), member: member)
    }.sorted { ($0.first, $0.member) < ($1.first, $1.member) }
  }

  /// How many pairs meet.
  private static func count(_ extents: [Extent]) -> Int {
    let ends = extents.map(\.end).sorted()
    var passed = 0
    var result = 0
    for (place, extent) in extents.enumerated() {
      while passed < ends.count && ends[passed] <= extent.first { passed += 1 }
      result += place - passed
    }
    return result
  }

  private static func sweep(_ extents: [Extent], _ body: (Int, Int) -> Void) {
    var open: [Extent] = []
    for extent in extents {
      open.removeAll { $0.end <= extent.first }
      for other in open { body(other.member, extent.member) }
      open.append(extent)
    }
  }
}
