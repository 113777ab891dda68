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
      // Loads of the group's tiles, by tile and chunk; of the passing tile, by chunk.
      var kept = [Int?](repeating: nil, count: group.count * chunks.count)
      for (place, passing) in inner.enumerated() {
        var passed = [Int?](repeating: nil, count: chunks.count)
        for (slab, tile) in group.enumerated() {
          for (index, chunk) in chunks.enumerated() {
            let key = slab * chunks.count + index
            if plan.slabs == 0 { kept[key] = nil }
            let outerLoad = kept[key] ?? load(keepsInput ? .input : .other, tile, chunk)
            kept[key] = outerLoad
            let innerLoad = passed[index] ?? load(keepsInput ? .other : .input, passing, chunk)
            passed[index] = innerLoad
            let freesOuter = plan.slabs == 0 || place == inner.count - 1
            let freesInner = slab == group.count - 1
            for part in Self.cut(chunk, plan.tileK) {
              let isLast = part.upperBound == chunk.upperBound
              steps.append(
                GemmStep(
                  rows: keepsInput ? tile : passing, columns: keepsInput ? passing : tile,
                  depth: part, inputLoad: keepsInput ? outerLoad : innerLoad,
                  otherLoad: keepsInput ? innerLoad : outerLoad,
                  releasesInput: isLast && (keepsInput ? freesOuter : freesInner),
                  releasesOther: isLast && (keepsInput ? freesInner : freesOuter)))
            }
          }
        }
      }
    }
  }

  private mutating func load(_ operand: GemmOperand, _ lines: Range<Int>, _ depth: Range<Int>)
    -> Int
  {
    loads.append(GemmLoad(operand: operand, lines: lines, depth: depth))
    return loads.count - 1
  }
}
