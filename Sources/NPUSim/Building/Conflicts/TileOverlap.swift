/// Tells whether two tiles share a byte from their rectangles, wherever these say it: tiles of one
/// buffer are compared row by row and column by column, buffers that lie apart not at all.
struct TileOverlap: Sendable {
  /// What the rectangles of two tiles say.
  enum Verdict {
    case apart, shared
    /// Rows of an index list, or buffers that share bytes: the bytes have to be compared.
    case unknown
  }

  /// A number for each buffer that shares its bytes with no other one, and one for all the others.
  private let groups: [UInt32]
  /// Whether any buffers share bytes: otherwise tiles of different ones never do.
  let hasSharedBytes: Bool
  /// The bytes of each buffer in its memory, where any are shared.
  private let extents: [Range<Int>]

  /// Numbers in use: the last one is that of buffers that share bytes, and of those that do not exist.
  var groupCount: Int { groups.count + 1 }

  init(_ buffers: [Buffer]) {
    let isAlone = Self.lonely(buffers)
    groups = isAlone.indices.map { UInt32(isAlone[$0] ? $0 : isAlone.count) }
    hasSharedBytes = isAlone.contains(false)
    extents = hasSharedBytes ? buffers.map(Self.extent) : []
  }

  /// The number of a buffer.
  @inline(__always) func group(of buffer: UInt32) -> Int {
    Int(buffer) < groups.count ? Int(groups[Int(buffer)]) : groups.count
  }

  /// Judges two tiles. A write that fills up its last 32-block reaches no further than the block,
  /// whose scale both tiles have then anyway.
  @inline(__always) func judge(_ x: TileRef, _ y: TileRef) -> Verdict {
    guard x.buffer == y.buffer else {
      if x.space != y.space || group(of: x.buffer) != group(of: y.buffer) { return .apart }
      let (a, b) = (Int(x.buffer), Int(y.buffer))
      guard a < extents.count, b < extents.count else { return .unknown }
      return extents[a].overlaps(extents[b]) ? .unknown : .apart
    }
    guard x.indexList == 0, y.indexList == 0, x.format == y.format, x.axis == y.axis else {
      return .unknown
    }
    return x.slot == y.slot
      && Self.meets(x.row, x.rows, y.row, y.rows, inBlocks: x.isBlocked(.alongRows))
      && Self.meets(x.column, x.columns, y.column, y.columns, inBlocks: x.isBlocked(.alongColumns))
      ? .shared : .apart
  }

  /// Whether two ranges meet; along the blocks of MXINT8 in whole blocks, as they share a scale.
  @inline(__always)
  private static func meets(
    _ a: Int32, _ aCount: Int32, _ b: Int32, _ bCount: Int32, inBlocks: Bool
  ) -> Bool {
    guard aCount > 0, bCount > 0 else { return false }
    let (a, aEnd) = (Int64(a), Int64(a) + Int64(aCount))
    let (b, bEnd) = (Int64(b), Int64(b) + Int64(bCount))
    if inBlocks { return a >> 5 <= (bEnd - 1) >> 5 && b >> 5 <= (aEnd - 1) >> 5 }
    return a < bEnd && b < aEnd
  }

  /// Sweeps the buffers of each memory in the order of their addresses: only buffers that someone
  /// placed by hand meet.
  private static func lonely(_ buffers: [Buffer]) -> [Bool] {
    struct Place {
      var buffer: Int
      var core: Int32
      var space: Space
      var bytes: Range<Int>
    }
    var result = [Bool](repeating: true, count: buffers.count)
    let places = buffers.indices.map { index in
      Place(
        buffer: index, core: buffers[index].core, space: buffers[index].space,
        bytes: extent(buffers[index]))
    }.sorted {
      ($0.core, $0.space.rawValue, $0.bytes.lowerBound)
        < ($1.core, $1.space.rawValue, $1.bytes.lowerBound)
    }
    var furthest: Place?
    for place in places {
      guard let last = furthest, last.core == place.core, last.space == place.space else {
        furthest = place
        continue
      }
      if last.bytes.upperBound > place.bytes.lowerBound {
        result[last.buffer] = false
        result[place.buffer] = false
      }
      if place.bytes.upperBound > last.bytes.upperBound { furthest = place }
    }
    return result
  }

  /// The bytes of a buffer in its memory, scales included where they lie there.
  private static func extent(_ buffer: Buffer) -> Range<Int> {
    let payload = buffer.base..<(buffer.base + buffer.payloadExtent)
    guard buffer.format == .mxint8, !buffer.space.hasScaleSideArray else { return payload }
    let end = buffer.scaleBase + buffer.scaleExtent
    return min(buffer.base, buffer.scaleBase)..<max(payload.upperBound, end)
  }
}

extension TileRef {
  /// Whether its MXINT8 blocks run along an axis.
  @inline(__always)
  fileprivate func isBlocked(_ along: BlockAxis) -> Bool { format == .mxint8 && axis == along }
}
