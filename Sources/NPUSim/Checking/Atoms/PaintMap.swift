/// A plane of cells, each with one number, in which rectangles are painted.
///
/// The plane is halved along its longer side, again and again, but only where halves differ: a
/// region of one number is one node. Painting a rectangle costs a node for each region that its
/// border cuts, and gives back the nodes of the regions that it covers.
struct PaintMap {
  private struct Node {
    var value: UInt32
    /// The first of two halves that lie next to each other; 0 where the region is uniform.
    var halves: UInt32
  }

  private let plane: CrowdRect
  private var nodes: [Node]
  /// First halves of pairs that are free.
  private var free: [UInt32] = []

  /// A plane of `rows` × `columns` cells, all 0.
  init(rows: UInt32, columns: UInt32) {
    plane = CrowdRect(rowStart: 0, rowEnd: rows, columnStart: 0, columnEnd: columns)
    nodes = [Node(value: 0, halves: 0)]
  }

  /// Gives all cells of a rectangle a number.
  mutating func paint(_ rect: CrowdRect, _ value: UInt32) { paint(0, plane, rect, value) }

  private mutating func paint(
    _ node: Int, _ region: CrowdRect, _ rect: CrowdRect, _ value: UInt32
  ) {
    if rect.contains(region) {
      release(node)
      nodes[node] = Node(value: value, halves: 0)
      return
    }
    if nodes[node].halves == 0 {
      if nodes[node].value == value { return }
      split(node)
    }
    let first = Int(nodes[node].halves)
    let (low, high) = Self.halves(of: region)
    if low.overlaps(rect) { paint(first, low, rect, value) }
    if high.overlaps(rect) { paint(first + 1, high, rect, value) }
    let (a, b) = (nodes[first], nodes[first + 1])
    if a.halves == 0 && b.halves == 0 && a.value == b.value {
      free.append(UInt32(truncatingIfNeeded: first))
      nodes[node] = Node(value: a.value, halves: 0)
    }
  }

  /// Calls `body` with the number of each uniform region that a rectangle touches, until it returns
  /// `false`; whether it never did.
  @discardableResult
  func visit(_ rect: CrowdRect, _ body: (UInt32, CrowdRect) -> Bool) -> Bool {
    visit(0, plane, rect, body)
  }

  private func visit(
    _ node: Int, _ region: CrowdRect, _ rect: CrowdRect, _ body: (UInt32, CrowdRect) -> Bool
  ) -> Bool {
    let first = Int(nodes[node].halves)
    if first == 0 { return body(nodes[node].value, region) }
    let (low, high) = Self.halves(of: region)
    if low.overlaps(rect) && !visit(first, low, rect, body) { return false }
    return !high.overlaps(rect) || visit(first + 1, high, rect, body)
  }

  private static func halves(of region: CrowdRect) -> (CrowdRect, CrowdRect) {
    var (low, high) = (region, region)
    let rows = region.rowEnd - region.rowStart
    let columns = region.columnEnd - region.columnStart
    if rows >= columns {
      low.rowEnd = region.rowStart + rows / 2
      high.rowStart = low.rowEnd
    } else {
      low.columnEnd = region.columnStart + columns / 2
      high.columnStart = low.columnEnd
    }
    return (low, high)
  }

  private mutating func split(_ node: Int) {
    let half = Node(value: nodes[node].value, halves: 0)
    if let pair = free.popLast() {
      nodes[Int(pair)] = half
      nodes[Int(pair) + 1] = half
      nodes[node].halves = pair
    } else {
      nodes[node].halves = UInt32(truncatingIfNeeded: nodes.count)
      nodes.append(half)
      nodes.append(half)
    }
  }

  /// Frees what lies below a node.
  private mutating func release(_ node: Int) {
    let first = nodes[node].halves
    if first == 0 { return }
    release(Int(first))
    release(Int(first) + 1)
    free.append(first)
  }
}
