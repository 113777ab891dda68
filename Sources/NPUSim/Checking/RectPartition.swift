/// Cuts the bytes of rectangles into atoms: sets of bytes that belong to the same footprints, nearly
/// always all of them.
///
/// Rectangles are first separated by straight cuts that cross none of them, along rows and columns in
/// turn. What cannot be separated is decomposed into cells (slabs between row cuts, cut again at the
/// columns of the rectangles in the slab), and cells of equal footprints become one atom. The cost is
/// proportional to n log n and the (rectangle, cell) incidences.
struct RectPartition {
  /// Rectangles that no cut has separated yet.
  private struct Group {
    var range: Range<Int>
    /// The axis to cut next; rows are cut first.
    var byRows: Bool
    /// The other axis was tried on this very group and did not separate it.
    var isLast: Bool
  }

  private var atoms = AtomList()
  private var grid = CellGrid()
  private var stack: [Group] = []
  /// The footprints of the rectangles in a slab.
  private var covering: [UInt32] = []

  /// The atoms of some rectangles.
  static func atoms(of rects: [ByteRect]) -> AtomList {
    var partition = RectPartition()
    var (sorted, ends) = byDomain(rects)
    sorted.withUnsafeMutableBufferPointer { rects in
      var start = 0
      for end in ends where end > start {
        partition.separate(rects, start..<end)
        start = end
      }
    }
    return partition.atoms
  }

  /// The rectangles in the order of their domains, and where each domain ends.
  private static func byDomain(_ rects: [ByteRect]) -> ([ByteRect], ends: [Int]) {
    guard let first = rects.first else { return ([], []) }
    let domains = rects.reduce(0) { max($0, Int($1.domain)) } + 1
    var next = [Int](repeating: 0, count: domains + 1)
    for rect in rects { next[Int(rect.domain) + 1] += 1 }
    for domain in 0..<domains { next[domain + 1] += next[domain] }
    var sorted = [ByteRect](repeating: first, count: rects.count)
    for rect in rects {
      sorted[next[Int(rect.domain)]] = rect
      next[Int(rect.domain)] += 1
    }
    return (sorted, next)
  }

  // MARK: Separation

  private mutating func separate(_ rects: UnsafeMutableBufferPointer<ByteRect>, _ all: Range<Int>) {
    atoms.begin(domain: rects[all.lowerBound].domain)
    stack.append(Group(range: all, byRows: true, isLast: false))
    while let group = stack.popLast() {
      var own = UnsafeMutableBufferPointer(rebasing: rects[group.range])
      let first = own[0]
      if own.allSatisfy({ $0.hasExtent(of: first) }) {
        for rect in own { atoms.add(rect.footprint) }
        atoms.finish()
        continue
      }
      let byRows = group.byRows
      own.sort { byRows ? $0.rowStart < $1.rowStart : $0.columnStart < $1.columnStart }
      let known = stack.count
      var start = group.range.lowerBound
      var reach = Int.min
      for index in group.range {
        let rect = rects[index]
        if index > start && (byRows ? rect.rowStart : rect.columnStart) >= reach {
          stack.append(Group(range: start..<index, byRows: !byRows, isLast: false))
          start = index
        }
        reach = max(reach, byRows ? rect.rowEnd : rect.columnEnd)
      }
      let isWhole = stack.count == known
      if isWhole && group.isLast {
        decompose(UnsafeBufferPointer(own))
      } else {
        stack.append(
          Group(range: start..<group.range.upperBound, byRows: !byRows, isLast: isWhole))
      }
    }
  }

  // MARK: Cells

  private mutating func decompose(_ rects: UnsafeBufferPointer<ByteRect>) {
    atoms.beginGroup()
    grid.begin(rects)
    while grid.advance(rects) {
      covering.removeAll(keepingCapacity: true)
      for index in grid.active { covering.append(rects[Int(index)].footprint) }
      var start = 0
      for end in grid.ends {
        if grid.isNew {
          atoms.enterNew(covering, at: grid.places, start..<Int(end))
        } else {
          atoms.enter(covering, at: grid.places, start..<Int(end))
        }
        start = Int(end)
      }
    }
  }
}
