/// Cuts rectangles into cells: slabs between row cuts, cut again at the columns of the rectangles in
/// the slab. Keeps its working lists from one group of rectangles to the next.
struct CellGrid {
  /// A cell that a rectangle covers, both by number.
  struct Incidence {
    var rect: Int
    var cell: Int
  }

  /// The incidences of the last group, by cell.
  private(set) var incidences: [Incidence] = []
  /// The cells of the last group.
  private(set) var cellCount = 0

  private var rowCuts: [Int] = []
  private var columnCuts: [Int] = []
  /// Rectangles in the order of their first rows.
  private var byStart: [Int] = []
  /// Rectangles that cover the slab, in the order of their first columns.
  private var active: [Int] = []
  /// Rectangles that cover the cell.
  private var open: [Int] = []

  /// Finds the cells of a group, numbered along rows; rectangles are numbered by their place in it.
  mutating func cut(_ rects: UnsafeBufferPointer<ByteRect>) {
    incidences.removeAll(keepingCapacity: true)
    cellCount = 0
    rowCuts.removeAll(keepingCapacity: true)
    byStart.removeAll(keepingCapacity: true)
    active.removeAll(keepingCapacity: true)
    for index in rects.indices {
      rowCuts.append(rects[index].rowStart)
      rowCuts.append(rects[index].rowEnd)
      byStart.append(index)
    }
    Self.makeUnique(&rowCuts)
    byStart.sort { (rects[$0].rowStart, $0) < (rects[$1].rowStart, $1) }
    var nextStart = 0
    for cut in rowCuts.dropLast() {
      Self.drop(&active) { rects[$0].rowEnd <= cut }
      while nextStart < byStart.count && rects[byStart[nextStart]].rowStart == cut {
        active.append(byStart[nextStart])
        nextStart += 1
      }
      active.sort { (rects[$0].columnStart, $0) < (rects[$1].columnStart, $1) }
      cutSlab(rects)
    }
  }

  /// Cuts the slab that the active rectangles cover.
  private mutating func cutSlab(_ rects: UnsafeBufferPointer<ByteRect>) {
    columnCuts.removeAll(keepingCapacity: true)
    for index in active {
      columnCuts.append(rects[index].columnStart)
      columnCuts.append(rects[index].columnEnd)
    }
    Self.makeUnique(&columnCuts)
    open.removeAll(keepingCapacity: true)
    var nextColumn = 0
    for column in columnCuts.dropLast() {
      Self.drop(&open) { rects[$0].columnEnd <= column }
      while nextColumn < active.count && rects[active[nextColumn]].columnStart == column {
        open.append(active[nextColumn])
        nextColumn += 1
      }
      if open.isEmpty { continue }
      for rect in open { incidences.append(Incidence(rect: rect, cell: cellCount)) }
      cellCount += 1
    }
  }

  /// Removes what satisfies a condition; the rest keeps its order.
  @inline(__always)
  private static func drop(_ list: inout [Int], _ isDropped: (Int) -> Bool) {
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
