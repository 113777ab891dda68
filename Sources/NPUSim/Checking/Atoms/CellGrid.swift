/// Cuts rectangles into cells: slabs between row cuts, cut again at the columns of the rectangles in
/// the slab. Keeps its working lists from one group of rectangles to the next.
///
/// A slab whose rectangles have the same columns as those of the slab before has the same cells: rows
/// of equal tiles are cut once.
struct CellGrid {
  /// Rectangles that cover the slab, by number, in the order of their first columns.
  private(set) var active: [UInt32] = []
  /// Cells of the slab: cell `c` is covered by the rectangles at
  /// `places[ends[c - 1]..<ends[c]]` of ``active``, in ascending order.
  private(set) var places: [UInt32] = []
  private(set) var ends: [UInt32] = []
  /// Whether the cells of the slab differ from each other and from those of earlier slabs: each has a
  /// rectangle of its own, and one that begins here covers them all.
  private(set) var isNew = false
  /// Whether the group has too many cells.
  private(set) var isOver = false

  /// The columns of the rectangles for which ``places`` and ``ends`` were made.
  private var columns: [(start: Int, end: Int)] = []
  /// Whether each cell has a rectangle that covers no other one.
  private var areDistinct = false
  private var rowCuts: [Int] = []
  private var nextCut = 0
  private var columnCuts: [Int] = []
  /// Rectangles in the order of their first rows, then of their first columns.
  private var byStart: [UInt32] = []
  private var nextStart = 0
  /// Places in ``active`` of the rectangles that cover the cell.
  private var open: [UInt32] = []

  /// Rectangles from which on their cells are counted before they are made.
  private static let many = 256

  /// Begins with a group of rectangles, numbered by their place in it; `false` where the slabs that
  /// they cover come to more than `most` together.
  mutating func begin(_ rects: UnsafeBufferPointer<ByteRect>, most: Int) -> Bool {
    rowCuts.removeAll(keepingCapacity: true)
    byStart.removeAll(keepingCapacity: true)
    active.removeAll(keepingCapacity: true)
    nextCut = 0
    nextStart = 0
    isOver = false
    // No pattern of another group stands for this one.
    columns.removeAll(keepingCapacity: true)
    places.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    columnCuts.removeAll(keepingCapacity: true)
    for index in rects.indices {
      rowCuts.append(rects[index].rowStart)
      rowCuts.append(rects[index].rowEnd)
      byStart.append(UInt32(truncatingIfNeeded: index))
    }
    Self.makeUnique(&rowCuts)
    if rects.count > Self.many {
      let count = rects.reduce(0) {
        $0 + Self.count(of: $1.rowStart..<$1.rowEnd, in: rowCuts)
      }
      if count > most { return false }
    }
    byStart.sort {
      let (a, b) = (rects[Int($0)], rects[Int($1)])
      if a.rowStart != b.rowStart { return a.rowStart < b.rowStart }
      return (a.columnStart, $0) < (b.columnStart, $1)
    }
    return true
  }

  /// Pieces that sorted cuts, the ends among them, divide a range into.
  private static func count(of range: Range<Int>, in cuts: [Int]) -> Int {
    func place(_ cut: Int) -> Int {
      var low = 0
      var high = cuts.count
      while low < high {
        let middle = (low + high) / 2
        if cuts[middle] < cut { low = middle + 1 } else { high = middle }
      }
      return low
    }
    return place(range.upperBound) - place(range.lowerBound)
  }

  /// Goes to the next slab of the group; `false` behind the last one, and where its rectangles and
  /// cells come to more than `most`, which ``isOver`` says.
  mutating func advance(_ rects: UnsafeBufferPointer<ByteRect>, most: Int) -> Bool {
    guard nextCut + 1 < rowCuts.count else { return false }
    let cut = rowCuts[nextCut]
    nextCut += 1
    Self.drop(&active) { rects[Int($0)].rowEnd <= cut }
    let first = nextStart
    while nextStart < byStart.count && rects[Int(byStart[nextStart])].rowStart == cut {
      nextStart += 1
    }
    enter(first..<nextStart, rects)
    isOver = active.count > most
    if !isOver && !hasSameColumns(rects) { findCells(rects, most: most - active.count) }
    if isOver || active.count + places.count > most {
      isOver = true
      return false
    }
    isNew = areDistinct && isCovered(by: first..<nextStart, rects)
    return true
  }

  /// Merges the rectangles that start here with those that go on.
  private mutating func enter(_ fresh: Range<Int>, _ rects: UnsafeBufferPointer<ByteRect>) {
    var old = active.count - 1
    active.append(contentsOf: byStart[fresh])
    var new = fresh.upperBound - 1
    var place = active.count - 1
    while new >= fresh.lowerBound {
      let index = byStart[new]
      let column = rects[Int(index)].columnStart
      if old >= 0, (column, index) < (rects[Int(active[old])].columnStart, active[old]) {
        active[place] = active[old]
        old -= 1
      } else {
        active[place] = index
        new -= 1
      }
      place -= 1
    }
  }

  /// Whether the cells are still those of the active rectangles.
  private func hasSameColumns(_ rects: UnsafeBufferPointer<ByteRect>) -> Bool {
    guard columns.count == active.count else { return false }
    for (place, index) in active.enumerated() {
      let rect = rects[Int(index)]
      if columns[place] != (rect.columnStart, rect.columnEnd) { return false }
    }
    return true
  }

  /// Whether one of the rectangles that start here covers the whole slab.
  private func isCovered(by fresh: Range<Int>, _ rects: UnsafeBufferPointer<ByteRect>) -> Bool {
    guard let first = columns.first, let end = columnCuts.last else { return false }
    return byStart[fresh].contains {
      rects[Int($0)].columnStart == first.start && rects[Int($0)].columnEnd == end
    }
  }

  /// Cuts the slab that the active rectangles cover.
  private mutating func findCells(_ rects: UnsafeBufferPointer<ByteRect>, most: Int) {
    columns.removeAll(keepingCapacity: true)
    columnCuts.removeAll(keepingCapacity: true)
    for index in active {
      let rect = rects[Int(index)]
      columns.append((rect.columnStart, rect.columnEnd))
      columnCuts.append(rect.columnStart)
      columnCuts.append(rect.columnEnd)
    }
    Self.makeUnique(&columnCuts)
    places.removeAll(keepingCapacity: true)
    ends.removeAll(keepingCapacity: true)
    open.removeAll(keepingCapacity: true)
    let columns = columns
    if columns.count > Self.many {
      let count = columns.reduce(0) { $0 + Self.count(of: $1.start..<$1.end, in: columnCuts) }
      if count > most {
        isOver = true
        return
      }
    }
    var next = 0
    for column in columnCuts.dropLast() {
      Self.drop(&open) { columns[Int($0)].end <= column }
      while next < columns.count && columns[next].start == column {
        open.append(UInt32(truncatingIfNeeded: next))
        next += 1
      }
      if open.isEmpty { continue }
      places.append(contentsOf: open)
      if places.count > most {
        isOver = true
        return
      }
      ends.append(UInt32(truncatingIfNeeded: places.count))
    }
    var cells = [Int](repeating: 0, count: columns.count)
    for place in places { cells[Int(place)] += 1 }
    var start = 0
    areDistinct = ends.allSatisfy { end in
      defer { start = Int(end) }
      return places[start..<Int(end)].contains { cells[Int($0)] == 1 }
    }
  }

  /// Removes what satisfies a condition; the rest keeps its order.
  @inline(__always)
  private static func drop(_ list: inout [UInt32], _ isDropped: (UInt32) -> Bool) {
    var kept = 0
    for index in list.indices where !isDropped(list[index]) {
      if kept != index { list[kept] = list[index] }
      kept += 1
    }
    list.removeLast(list.count - kept)
  }

  /// Sorts a list and drops what is in it twice.
  private static func makeUnique(_ list: inout [Int]) {
    list.sort()
    var kept = 0
    for index in list.indices where index == 0 || list[index] != list[index - 1] {
      if kept != index { list[kept] = list[index] }
      kept += 1
    }
    list.removeLast(list.count - kept)
  }
}
