/// One flat byte-addressed array: a memory, or the scale side array of one.
///
/// Footprints are byte sets on a plane; two bytes conflict only on the same plane of the same core
/// (or on `hbm`, of any core).
public enum Plane: UInt8, Sendable, CaseIterable, Hashable {
  case hbm, l1, left, right, acc, ub, l1Scales, leftScales, rightScales

  public static let count = 9

  @inlinable public var index: Int { Int(rawValue) }

  /// The memory that the plane belongs to.
  public var space: Space {
    switch self {
    case .hbm: .hbm
    case .l1, .l1Scales: .l1
    case .left, .leftScales: .left
    case .right, .rightScales: .right
    case .acc: .acc
    case .ub: .ub
    }
  }

  /// The plane of a memory's payload bytes.
  @inlinable public init(payloadOf space: Space) {
    switch space {
    case .hbm: self = .hbm
    case .l1: self = .l1
    case .left: self = .left
    case .right: self = .right
    case .acc: self = .acc
    case .ub: self = .ub
    }
  }

  /// The plane of a memory's E8M0 scale bytes.
  @inlinable public init(scalesOf space: Space) {
    switch space {
    case .l1: self = .l1Scales
    case .left: self = .leftScales
    case .right: self = .rightScales
    case .hbm: self = .hbm
    case .acc: self = .acc
    case .ub: self = .ub
    }
  }
}

/// An exact byte set on a plane: `rows` runs of `runBytes` bytes, `pitch` bytes apart.
public struct Region: Sendable, Hashable {
  public var plane: Plane
  /// First byte.
  public var base: Int
  /// Bytes from one run's start to the next's; irrelevant when `rows` is 1.
  public var pitch: Int
  public var runBytes: Int
  public var rows: Int

  @inlinable public init(plane: Plane, base: Int, pitch: Int, runBytes: Int, rows: Int) {
    self.plane = plane
    self.base = base
    // Runs that touch are one run, so that equal byte sets compare equal.
    if rows > 1 && pitch == runBytes {
      self.pitch = rows * runBytes
      self.runBytes = rows * runBytes
      self.rows = 1
    } else {
      self.pitch = rows <= 1 ? runBytes : pitch
      self.runBytes = runBytes
      self.rows = rows
    }
  }

  /// One past the last byte.
  @inlinable public var end: Int { base + (rows - 1) * pitch + runBytes }

  /// Whether no byte belongs to it.
  @inlinable public var isEmpty: Bool { rows <= 0 || runBytes <= 0 }

  /// Bytes in the set.
  @inlinable public var byteCount: Int { isEmpty ? 0 : rows * runBytes }

  /// Whether the two sets share a byte.
  @inlinable public func overlaps(_ other: Region) -> Bool {
    if plane != other.plane || isEmpty || other.isEmpty { return false }
    if end <= other.base || other.end <= base { return false }
    if rows == 1 && other.rows == 1 { return true }
    if rows == 1 { return other.meetsRun(from: base, to: end) }
    if other.rows == 1 { return meetsRun(from: other.base, to: other.end) }
    // Walk the runs of the set with fewer of them.
    let (few, many) = rows <= other.rows ? (self, other) : (other, self)
    var start = few.base
    for _ in 0..<few.rows {
      if many.meetsRun(from: start, to: start + few.runBytes) { return true }
      start += few.pitch
    }
    return false
  }

  /// Whether a byte of `from..<to` belongs to the set (`rows` > 0, `pitch` > 0).
  @inlinable func meetsRun(from: Int, to: Int) -> Bool {
    if to <= base || end <= from { return false }
    // The last run that starts before `to` is the only candidate that can reach past `from`
    // with the largest end, as ends grow with starts.
    let last = min((to - 1 - base) / pitch, rows - 1)
    return base + last * pitch + runBytes > from
  }
}
