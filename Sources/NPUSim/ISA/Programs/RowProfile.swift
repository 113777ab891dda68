/// The rows of a transfer as its queue moves them: contiguous runs, by how many bytes each takes of the
/// port. Kept where a machine charges for rows.
public struct RowProfile: Sendable, Hashable {
  /// Rows of so many bytes.
  public struct Rows: Sendable, Hashable {
    public var bytes: Int64
    public var count: Int64
  }

  /// Ascending in bytes.
  public private(set) var rows: [Rows] = []
  /// Zero-filled bytes, which belong to no row.
  public private(set) var filled: Int64

  /// The rows of a tile, in HBM whole bursts each, and what `port` bytes are more than those.
  init(of tile: TileRef, port: Int64, _ layout: TileLayout) {
    var counts: [Int64: Int64] = [:]
    func add(_ region: Region) {
      for row in 0..<region.rows {
        let bytes = layout.portBytes(ofRun: region.base + row * region.pitch, region, tile.space)
        counts[Int64(bytes), default: 0] += 1
      }
    }
    layout.forEachPayloadRegion(tile, add)
    layout.forEachScaleRegion(tile, add)
    rows = counts.sorted { $0.key < $1.key }.map { Rows(bytes: $0.key, count: $0.value) }
    filled = port - rows.reduce(0) { $0 + $1.bytes * $1.count }
  }
}

extension Program {
  /// The rows of a transfer, where the machine charges for them.
  func rows(of work: Work) -> RowProfile? {
    work.profile > 0 ? rowProfiles[Int(work.profile) - 1] : nil
  }
}
