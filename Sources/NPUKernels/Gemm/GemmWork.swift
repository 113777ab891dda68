import NPUSim

/// Which of the two operands.
enum GemmOperand: Sendable {
  case input, other
}

/// A chunk of an operand that is brought to `l1`.
struct GemmLoad {
  var operand: GemmOperand
  /// Rows of the first operand, or columns of the second.
  var lines: Range<Int>
  /// Place along k.
  var depth: Range<Int>
}

/// One matmul.
struct GemmStep {
  var rows: Range<Int>
  var columns: Range<Int>
  var depth: Range<Int>
  /// Positions in ``GemmWork/loads``.
  var inputLoad: Int
  var otherLoad: Int
  /// Whether no later step reads the chunk.
  var releasesInput: Bool
  var releasesOther: Bool
}

/// The matmuls of a core in order, and the loads in the order in which they are first used.
struct GemmWork {
  private(set) var steps: [GemmStep] = []
  private(set) var loads: [GemmLoad] = []

  private let plan: GemmSchedule
  private let depth: Int

  init(_ problem: GemmProblem, areas: [GemmArea]) {
    plan = problem.plan
    depth = problem.k
    for area in areas { visit(area) }
  }

  private static func cut(_ range: Range<Int>, _ size: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: size).map {
      $0..<min($0 + size, range.upperBound)
    }
  }

  /// Groups of tiles of the kept operand, under which those of the other one pass by.
  private mutating func visit(_ area: GemmArea) {
    let keepsInput = plan.slabs == 0 || plan.kept == 1
    let rowTiles = Self.cut(area.rows, plan.tileM)
    let columnTiles = Self.cut(area.columns, plan.tileN)
    let outer = keepsInput ? rowTiles : columnTiles
    let inner = keepsInput ? columnTiles : rowTiles
    let chunks = Self.cut(0..<depth, plan.chunkK)
    let size = max(1, plan.slabs)
    var first = 0
    while first < outer.count {
      let group = outer[first..<min(first + size, outer.count)]
      first += size
      // Loads of the group's tiles, by tile, and of the passing tile, by the chunk they begin with.
      var kept = [[Int: Int]](repeating: [:], count: group.count)
      for (place, passing) in inner.enumerated() {
        var passed: [Int: Int] = [:]
        for (slab, tile) in group.enumerated() {
          if plan.slabs == 0 { kept[slab] = [:] }
          let freesOuter = plan.slabs == 0 || place == inner.count - 1
          let freesInner = slab == group.count - 1
          for chunk in chunks {
            let outerLoad = load(keepsInput ? .input : .other, tile, chunk, &kept[slab])
            let innerLoad = load(keepsInput ? .other : .input, passing, chunk, &passed)
            let (inputLoad, otherLoad) =
              keepsInput ? (outerLoad, innerLoad) : (innerLoad, outerLoad)
            for part in Self.cut(chunk, plan.tileK) {
              steps.append(
                GemmStep(
                  rows: keepsInput ? tile : passing, columns: keepsInput ? passing : tile,
                  depth: part, inputLoad: inputLoad, otherLoad: otherLoad,
                  releasesInput: part.upperBound == loads[inputLoad].depth.upperBound
                    && (keepsInput ? freesOuter : freesInner),
                  releasesOther: part.upperBound == loads[otherLoad].depth.upperBound
                    && (keepsInput ? freesInner : freesOuter)))
            }
          }
        }
      }
    }
  }

  /// The load that brings a chunk of some lines of an operand: one of `known`, by where they begin, or
  /// a new one.
  private mutating func load(
    _ operand: GemmOperand, _ lines: Range<Int>, _ chunk: Range<Int>, _ known: inout [Int: Int]
  ) -> Int {
    let size = plan.depth(ofLoad: operand)
    let start = chunk.lowerBound / size * size
    if let index = known[start] { return index }
    loads.append(
      GemmLoad(operand: operand, lines: lines, depth: start..<min(start + size, depth)))
    known[start] = loads.count - 1
    return loads.count - 1
  }
}
