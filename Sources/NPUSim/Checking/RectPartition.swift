/// Cuts the bytes of rectangles into atoms: maximal sets of bytes that belong to the same footprints.
///
/// Rectangles are first separated by straight cuts that cross none of them, along rows and columns in
/// turn. What cannot be separated is decomposed into cells (slabs between row cuts, cut again at the
/// columns of the rectangles in the slab), and cells of equal membership become one atom by partition
/// refinement. The cost is proportional to n log n and the (rectangle, cell) incidences.
struct RectPartition {
  /// A footprint and an atom that belongs to it.
  struct Membership {
    var footprint: UInt32
    var atom: UInt32
  }

  private var rects: [ByteRect]
  private var grid = CellGrid()
  private(set) var memberships: [Membership] = []
  /// The domain of each atom.
  private(set) var atomDomains: [UInt32] = []

  init(_ rects: [ByteRect]) {
    self.rects = rects
    memberships.reserveCapacity(rects.count)
  }

  /// Atoms are numbered in the order of their domains.
  mutating func run() {
    rects.sort { ($0.domain, $0.rowStart) < ($1.domain, $1.rowStart) }
    var start = 0
    while start < rects.count {
      var end = start + 1
      while end < rects.count && rects[end].domain == rects[start].domain { end += 1 }
      separate(start..<end)
      start = end
    }
    rects = []
  }

  // MARK: Separation

  private struct Group {
    var range: Range<Int>
    /// The axis to cut next; rows are cut first.
    var byRows: Bool
    /// The other axis was tried on this very group and did not separate it.
    var isLast: Bool
  }

  private mutating func separate(_ all: Range<Int>) {
    var stack = [Group(range: all, byRows: true, isLast: false)]
    while let group = stack.popLast() {
      if isUniform(group.range) {
        let atom = newAtom(rects[group.range.lowerBound].domain)
        for index in group.range { join(index, atom) }
        continue
      }
      let byRows = group.byRows
      rects[group.range].sort {
        byRows ? $0.rowStart < $1.rowStart : $0.columnStart < $1.columnStart
      }
      var pieces: [Range<Int>] = []
      var start = group.range.lowerBound
      var reach = Int.min
      for index in group.range {
        let rect = rects[index]
        if index > start && (byRows ? rect.rowStart : rect.columnStart) >= reach {
          pieces.append(start..<index)
          start = index
        }
        reach = max(reach, byRows ? rect.rowEnd : rect.columnEnd)
      }
      pieces.append(start..<group.range.upperBound)
      if pieces.count == 1 && group.isLast {
        decompose(group.range)
      } else {
        let isLast = pieces.count == 1
        for piece in pieces.reversed() {
          stack.append(Group(range: piece, byRows: !byRows, isLast: isLast))
        }
      }
    }
  }

  private func isUniform(_ range: Range<Int>) -> Bool {
    let first = rects[range.lowerBound]
    return range.dropFirst().allSatisfy { rects[$0].hasExtent(of: first) }
  }

  private mutating func newAtom(_ domain: UInt32) -> UInt32 {
    atomDomains.append(domain)
    return UInt32(atomDomains.count - 1)
  }

  private mutating func join(_ index: Int, _ atom: UInt32) {
    memberships.append(Membership(footprint: rects[index].footprint, atom: atom))
  }

  // MARK: Cells

  private mutating func decompose(_ range: Range<Int>) {
    rects.withUnsafeBufferPointer { grid.cut(UnsafeBufferPointer(rebasing: $0[range])) }
    let incidences = grid.incidences
    let cellCount = grid.cellCount
    // Cells of each rectangle, one rectangle after the other.
    var ends = [Int](repeating: 0, count: range.count + 1)
    for incidence in incidences { ends[incidence.rect + 1] += 1 }
    for index in 0..<range.count { ends[index + 1] += ends[index] }
    var next = ends
    var cells = [Int](repeating: 0, count: incidences.count)
    for incidence in incidences {
      cells[next[incidence.rect]] = incidence.cell
      next[incidence.rect] += 1
    }

    // Split each part into what a rectangle covers and what it does not.
    var partOf = [Int](repeating: 0, count: cellCount)
    var sizes = [cellCount]
    var covered = [0]
    var splitInto = [-1]
    for rect in 0..<range.count {
      let own = cells[ends[rect]..<ends[rect + 1]]
      for cell in own { covered[partOf[cell]] += 1 }
      for cell in own {
        let part = partOf[cell]
        if splitInto[part] < 0 && covered[part] < sizes[part] {
          splitInto[part] = sizes.count
          sizes.append(0)
          covered.append(0)
          splitInto.append(-1)
        }
        if splitInto[part] >= 0 {
          partOf[cell] = splitInto[part]
          sizes[part] -= 1
          sizes[splitInto[part]] += 1
          covered[part] -= 1
          if covered[part] == 0 { splitInto[part] = -1 }
        }
      }
      for cell in own { covered[partOf[cell]] = 0 }
    }

    var atoms = [Int](repeating: -1, count: sizes.count)
    var lastRect = [Int](repeating: -1, count: sizes.count)
    let domain = rects[range.lowerBound].domain
    for rect in 0..<range.count {
      for cell in cells[ends[rect]..<ends[rect + 1]] where lastRect[partOf[cell]] != rect {
        let part = partOf[cell]
        lastRect[part] = rect
        if atoms[part] < 0 { atoms[part] = Int(newAtom(domain)) }
        join(range.lowerBound + rect, UInt32(atoms[part]))
      }
    }
  }
}
