import NPUSim

/// The buffers in `ub` of a kernel that streams tiles of rows, as its schedule sees them.
struct RowFootprint: Sendable {
  /// An extent that follows the tile, or does not.
  enum Extent: Sendable {
    case tile
    case exactly(Int)

    func value(_ tile: Int) -> Int {
      switch self {
      case .tile: tile
      case .exactly(let count): count
      }
    }
  }

  /// One ring: `fixed + stages · perStage` slots.
  struct Part: Sendable {
    var fixed = 0
    var perStage = 0
    var rows = Extent.tile
    var columns = Extent.tile
    /// Bytes of an element.
    var bytes: Int
  }

  let machine: MachineConfiguration
  var parts: [Part]

  /// Bytes in `ub`, rows padded to the alignment; `nil` where that is more than 2^60.
  func bytes(tileRows: Int, tileColumns: Int, stages: Int) -> Int? {
    let alignment = max(1, machine[.ub].alignment)
    var total = 0
    for part in parts {
      guard let run = Self.product(part.columns.value(tileColumns), part.bytes),
        let rings = Self.product(part.perStage, stages),
        let lines = Self.product(part.rows.value(tileRows), rings + part.fixed),
        let size = Self.product((run + alignment - 1) / alignment * alignment, lines)
      else { return nil }
      total += size
      if total > 1 << 60 { return nil }
    }
    return total
  }

  /// The product of two extents, or `nil` above 2^60.
  private static func product(_ a: Int, _ b: Int) -> Int? {
    let (value, overflow) = a.multipliedReportingOverflow(by: b)
    return overflow || value > 1 << 60 ? nil : value
  }

  /// What does not fit, or `nil`.
  func overflow(tileRows: Int, tileColumns: Int, stages: Int) -> String? {
    guard let capacity = machine[.ub].bytes else { return nil }
    let needed = bytes(tileRows: tileRows, tileColumns: tileColumns, stages: stages)
    if let needed, needed <= capacity { return nil }
    return "ub holds \(capacity) bytes, needed \(needed.map(String.init) ?? "more than 2^60")"
  }
}
