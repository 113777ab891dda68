/// A rectangle of rows and columns.
struct GridRect: Hashable {
  var rows: Range<Int>
  var columns: Range<Int>

  var isEmpty: Bool { rows.isEmpty || columns.isEmpty }
  var count: Int { rows.count * columns.count }

  func clamped(to frame: GridRect) -> GridRect {
    GridRect(rows: rows.clamped(to: frame.rows), columns: columns.clamped(to: frame.columns))
  }

  /// The two as one, where together they are a rectangle.
  func joined(with other: GridRect) -> GridRect? {
    if rows == other.rows, let columns = Self.joined(columns, other.columns) {
      return GridRect(rows: rows, columns: columns)
    }
    if columns == other.columns, let rows = Self.joined(rows, other.rows) {
      return GridRect(rows: rows, columns: columns)
    }
    return nil
  }

  /// `rows 16 to 31`, `row 3`.
  static func range(_ unit: String, _ first: Int, _ last: Int) -> String {
    first == last ? "\(unit) \(first)" : "\(unit)s \(first) to \(last)"
  }

  private static func joined(_ a: Range<Int>, _ b: Range<Int>) -> Range<Int>? {
    guard a.lowerBound <= b.upperBound, b.lowerBound <= a.upperBound else { return nil }
    return min(a.lowerBound, b.lowerBound)..<max(a.upperBound, b.upperBound)
  }
}

/// Rectangles that cover a frame, or leave parts of it out.
///
/// Tiles mostly come in the order of their rows and columns, so that each grows the one before it:
/// then a few rectangles are kept, however many are added.
struct RectCover {
  private let frame: GridRect
  private var rects: [GridRect] = []

  /// Nothing of a frame of `rows × columns` elements is covered.
  init(_ frame: GridRect) { self.frame = frame }

  /// What is left out.
  struct Gaps {
    /// Elements.
    var count = 0
    /// From the first row on; at most as many as were asked for.
    var rects: [GridRect] = []
    /// Whether there are more of them.
    var areMore = false
  }

  /// Covers the part of a rectangle that lies in the frame.
  mutating func add(_ rect: GridRect) {
    var rect = rect.clamped(to: frame)
    if rect.isEmpty { return }
    while let last = rects.last, let joined = last.joined(with: rect) {
      rects.removeLast()
      rect = joined
    }
    rects.append(rect)
  }

  /// What nothing covers, in n log n of the rectangles.
  ///
  /// A line sweeps over the rows. A tree over the cuts of the columns keeps how much of the line is
  /// covered, so that a part without gaps costs no more than its rectangles.
  func gaps(limit: Int) -> Gaps {
    var gaps = Gaps()
    if frame.isEmpty || rects.first == frame { return gaps }
    var cuts = [frame.columns.lowerBound, frame.columns.upperBound]
    var edges: [(row: Int, rect: Int, isStart: Bool)] = []
    edges.reserveCapacity(2 * rects.count + 1)
    for (index, rect) in rects.enumerated() {
      cuts.append(rect.columns.lowerBound)
      cuts.append(rect.columns.upperBound)
      edges.append((rect.rows.lowerBound, index, true))
      edges.append((rect.rows.upperBound, index, false))
    }
    cuts.sort()
    edges.sort { $0.row < $1.row }
    edges.append((frame.rows.upperBound, -1, true))
    var line = CoveredLine(cuts: cuts)
    var row = frame.rows.lowerBound
    for edge in edges {
      let missing = frame.columns.count - line.covered
      if edge.row > row && missing > 0 {
        gaps.add(missing, in: row..<edge.row, limit: limit) { line.gaps(limit: limit) }
      }
      row = max(row, edge.row)
      if edge.rect >= 0 { line.change(rects[edge.rect].columns, by: edge.isStart ? 1 : -1) }
    }
    return gaps
  }
}

extension RectCover.Gaps {
  /// Adds what some rows leave out.
  fileprivate mutating func add(
    _ missing: Int, in rows: Range<Int>, limit: Int, _ columns: () -> [Range<Int>]
  ) {
    count += missing * rows.count
    for gap in columns() {
      let rect = GridRect(rows: rows, columns: gap)
      if let above = rects.lastIndex(where: { $0.joined(with: rect) != nil }),
        let joined = rects[above].joined(with: rect)
      {
        rects[above] = joined
      } else if rects.count < limit {
        rects.append(rect)
      } else {
        areMore = true
      }
    }
  }
}

/// How often each part of a line is covered.
private struct CoveredLine {
  /// Where the line is cut, ascending, with repeats.
  private let cuts: [Int]
  /// For each node of a binary tree over the parts, how often it is covered as a whole, and how much
  /// of it is covered at all.
  private var counts: [Int32]
  private var lengths: [Int]

  init(cuts: [Int]) {
    var unique: [Int] = []
    for cut in cuts where unique.last != cut { unique.append(cut) }
    self.cuts = unique
    counts = Array(repeating: 0, count: 4 * unique.count)
    lengths = Array(repeating: 0, count: 4 * unique.count)
  }

  private var parts: Range<Int> { 0..<(cuts.count - 1) }

  /// Length that is covered.
  var covered: Int { lengths[1] }

  /// Covers a range between two cuts once more, or once less.
  mutating func change(_ range: Range<Int>, by step: Int32) {
    change(place(range.lowerBound)..<place(range.upperBound), by: step, node: 1, parts)
  }

  private func place(_ cut: Int) -> Int {
    var low = 0
    var high = cuts.count
    while low < high {
      let middle = (low + high) / 2
      if cuts[middle] < cut { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func change(
    _ range: Range<Int>, by step: Int32, node: Int, _ own: Range<Int>
  ) {
    if range.lowerBound <= own.lowerBound && own.upperBound <= range.upperBound {
      counts[node] += step
    } else {
      let middle = (own.lowerBound + own.upperBound) / 2
      if range.lowerBound < middle {
        change(range, by: step, node: 2 * node, own.lowerBound..<middle)
      }
      if range.upperBound > middle {
        change(range, by: step, node: 2 * node + 1, middle..<own.upperBound)
      }
    }
    if counts[node] > 0 {
      lengths[node] = cuts[own.upperBound] - cuts[own.lowerBound]
    } else {
      lengths[node] = own.count == 1 ? 0 : lengths[2 * node] + lengths[2 * node + 1]
    }
  }

  /// The first ranges that are not covered, `limit` and one at most.
  func gaps(limit: Int) -> [Range<Int>] {
    var result: [Range<Int>] = []
    collect(1, parts, limit, &result)
    return result
  }

  private func collect(_ node: Int, _ own: Range<Int>, _ limit: Int, _ result: inout [Range<Int>]) {
    let range = cuts[own.lowerBound]..<cuts[own.upperBound]
    if lengths[node] == range.count || result.count > limit { return }
    if lengths[node] == 0 {
      if let last = result.last, last.upperBound == range.lowerBound {
        result[result.count - 1] = last.lowerBound..<range.upperBound
      } else {
        result.append(range)
      }
      return
    }
    let middle = (own.lowerBound + own.upperBound) / 2
    collect(2 * node, own.lowerBound..<middle, limit, &result)
    collect(2 * node + 1, middle..<own.upperBound, limit, &result)
  }
}
