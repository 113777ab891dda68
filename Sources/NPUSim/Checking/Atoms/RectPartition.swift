/// Cuts the bytes of rectangles into atoms: sets of bytes that belong to the same footprints, nearly
/// always all of them.
///
/// Rectangles are first separated by straight cuts that cross none of them, along rows and columns in
/// turn. What cannot be separated is decomposed into cells (slabs between row cuts, cut again at the
/// columns of the rectangles in the slab), and cells of equal footprints become one atom. The cost is
/// proportional to n log n and the (rectangle, cell) incidences; a group that has more of them than
/// ``Budget`` grants becomes a ``Crowd``.
struct RectPartition {
  /// What a partition into atoms may cost; a group that would cost more becomes a crowd.
  struct Budget {
    /// Cells that a rectangle may have on average over a group, and that an access may touch on
    /// average over the accesses of the group.
    var cells: Int
    /// Atoms of all footprints together.
    var total = Int.max

    /// Everything is cut, whatever it costs.
    static func exact(total: Int) -> Budget { Budget(cells: .max, total: total) }

    /// Rectangles, or accesses, that a group has for nothing: a small one is cut whatever it is like.
    private static let slack = 32
    /// Steps for a cell: cells of equal footprints are found again and again.
    private static let steps = 4

    func cells(for count: Int) -> Int {
      let (product, isOver) = cells.multipliedReportingOverflow(by: count + Self.slack)
      return isOver ? .max : product
    }

    func steps(for count: Int) -> Int {
      let (product, isOver) = cells(for: count).multipliedReportingOverflow(by: Self.steps)
      return isOver ? .max : product
    }
  }

  /// Rectangles that no cut has separated yet.
  private struct Group {
    var range: Range<Int>
    /// The axis to cut next; rows are cut first.
    var byRows: Bool
    /// The other axis was tried on this very group and did not separate it.
    var isLast: Bool
  }

  private let uses: [UInt32]
  private let budget: Budget
  private var atoms = AtomList()
  private var crowds: [Crowd] = []
  private var isOverTotal = false
  private var grid = CellGrid()
  private var stack: [Group] = []
  /// The footprints of the rectangles in a slab.
  private var covering: [UInt32] = []

  private init(_ uses: [UInt32], _ budget: Budget) {
    self.uses = uses
    self.budget = budget
  }

  /// The atoms and crowds of some rectangles, `nil` where the total budget does not suffice. `uses`
  /// counts the accesses of each tile.
  static func atoms(of rects: consuming [ByteRect], uses: [UInt32], _ budget: Budget)
    -> (AtomList, [Crowd])?
  {
    var partition = RectPartition(uses, budget)
    // There may be millions: they are not kept twice.
    var (sorted, ends) = byDomain(consume rects)
    sorted.withUnsafeMutableBufferPointer { rects in
      var start = 0
      for end in ends where end > start {
        partition.separate(rects, start..<end)
        start = end
      }
    }
    return partition.isOverTotal ? nil : (partition.atoms, partition.crowds)
  }

  /// The rectangles in the order of their domains, and where each domain ends.
  private static func byDomain(_ rects: consuming [ByteRect]) -> ([ByteRect], ends: [Int]) {
    guard let first = rects.first else { return ([], []) }
    let domains = rects.reduce(0) { max($0, Int($1.domain)) } + 1
    var next = [Int](repeating: 0, count: domains + 1)
    for index in rects.indices { next[Int(rects[index].domain) + 1] += 1 }
    for domain in 0..<domains { next[domain + 1] += next[domain] }
    var sorted = [ByteRect](repeating: first, count: rects.count)
    for index in rects.indices {
      let domain = Int(rects[index].domain)
      sorted[next[domain]] = rects[index]
      next[domain] += 1
    }
    return (sorted, next)
  }

  // MARK: Separation

  private mutating func separate(_ rects: UnsafeMutableBufferPointer<ByteRect>, _ all: Range<Int>) {
    atoms.begin(domain: rects[all.lowerBound].domain)
    stack.append(Group(range: all, byRows: true, isLast: false))
    while let group = stack.popLast(), !isOverTotal {
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
    let known = atoms.mark
    let most = budget.steps(for: rects.count)
    var steps = 0
    atoms.beginGroup()
    let isSmall = grid.begin(rects, most: most)
    while isSmall && grid.advance(rects, most: most - steps) {
      steps += grid.active.count + grid.places.count
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
      if atoms.footprints.count > budget.total {
        isOverTotal = true
        return
      }
    }
    if !isSmall || grid.isOver || !isWorthwhile(rects, after: known.footprints) {
      atoms.forget(after: known)
      grid = CellGrid()
      crowds.append(Crowd(rects))
    }
  }

  /// Whether the atoms of a group are few for its rectangles and its accesses.
  private func isWorthwhile(_ rects: UnsafeBufferPointer<ByteRect>, after known: Int) -> Bool {
    if atoms.footprints.count - known > budget.cells(for: rects.count) { return false }
    var touched = 0
    for footprint in atoms.footprints[known...] { touched += count(of: footprint) }
    return touched <= budget.cells(for: rects.reduce(0) { $0 + count(of: $1.footprint) })
  }

  /// The accesses of a footprint's tile; none where it stands for initialised bytes.
  private func count(of footprint: UInt32) -> Int {
    Int(footprint / 2) < uses.count ? Int(uses[Int(footprint / 2)]) : 0
  }
}
