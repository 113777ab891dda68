extension TileLayout {
  /// Whether two tiles are the very same one: of one format and extent, and element by element the
  /// same bytes, whatever buffers they are cut from. A list that names a row twice never is.
  ///
  /// Both must lie in their buffers.
  func coincide(_ a: TileRef, _ b: TileRef) -> Bool {
    guard a.format == b.format, a.rows == b.rows, a.columns == b.columns,
      a.format != .mxint8 || a.axis == b.axis
    else { return false }
    // Runs come in the order of the rows, and of rows that follow one another there is one run.
    let payload = payloadRegions(a)
    guard payload == payloadRegions(b), scaleRegions(a) == scaleRegions(b) else { return false }
    return !namesByteTwice(a)
  }

  /// Whether two elements of a tile, or an element and a scale, lie on one byte.
  ///
  /// It must lie in its buffer.
  func namesByteTwice(_ tile: TileRef) -> Bool {
    let payload = payloadRegions(tile)
    let scales = scaleRegions(tile)
    if payload.contains(where: { run in scales.contains { run.overlaps($0) } }) { return true }
    // Runs of one buffer and pitch: those that reach past one another's start have a row in common.
    let runs = payload.sorted { $0.base < $1.base }
    return zip(runs, runs.dropFirst()).contains { $0.end > $1.base }
  }

  /// The bytes that two tiles share, on the first plane where they share any; `nil` where they lie
  /// apart. `padded` fills up the last 32-block of the first.
  func sharedBytes(_ a: TileRef, padded: Bool, _ b: TileRef) -> SharedBytes? {
    guard a.space == b.space else { return nil }
    let others = regions(b, padded: false)
    var shared: SharedBytes?
    for region in regions(a, padded: padded) {
      for other in others where region.overlaps(other) {
        if shared == nil { shared = SharedBytes(plane: region.plane) }
        if shared?.plane == region.plane { shared?.add(region, other) }
      }
    }
    return shared
  }
}

/// Bytes of one plane that belong to two tiles.
struct SharedBytes {
  let plane: Plane
  private(set) var count = 0
  private(set) var first = Int.max
  private(set) var last = Int.min
  /// Their runs, while they are as long as one another and equally far apart.
  private var runs: Region?
  private var isEven = true

  fileprivate init(plane: Plane) { self.plane = plane }

  /// The bytes as a region, where they are one.
  var region: Region? {
    guard isEven, let runs else { return nil }
    return Region(
      plane: plane, base: runs.base, pitch: runs.pitch, runBytes: runs.runBytes, rows: runs.rows)
  }

  /// Adds the common bytes of two regions.
  fileprivate mutating func add(_ a: Region, _ b: Region) {
    var next = 0
    for row in 0..<a.rows {
      let start = a.base + row * a.pitch
      let end = start + a.runBytes
      while next < b.rows && b.base + next * b.pitch + b.runBytes <= start { next += 1 }
      var run = next
      while run < b.rows && b.base + run * b.pitch < end {
        let other = b.base + run * b.pitch
        add(from: max(start, other), to: min(end, other + b.runBytes))
        run += 1
      }
    }
  }

  private mutating func add(from start: Int, to end: Int) {
    count += end - start
    first = min(first, start)
    last = max(last, end - 1)
    guard var known = runs else {
      runs = Region(plane: plane, base: start, pitch: 0, runBytes: end - start, rows: 1)
      return
    }
    let step = start - (known.base + (known.rows - 1) * known.pitch)
    if known.rows == 1 { known.pitch = step }
    isEven = isEven && step > 0 && step == known.pitch && end - start == known.runBytes
    known.rows += 1
    runs = known
  }
}
