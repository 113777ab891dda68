/// Aligns the nodes of a loop's body with those of one more pass: which go together, and which are
/// only in one of the two. A run of the latter costs the two lines of an `.if`.
struct AlignmentTable {
  /// One step of an alignment.
  enum Move: UInt8 { case pair, onlyBody, onlyEdge }

  private static let branchLines = 2

  /// Rows that may be left out at no cost, and go together with nothing.
  private let isFree: [Bool]
  private let columns: Int
  /// Best gain of the rest from a row and column on, by the move before it.
  private var scores: [Int32]
  private var best: [Move]

  private var rows: Int { isFree.count }

  init(isFree: [Bool], columns: Int) {
    self.isFree = isFree
    self.columns = columns
    let count = (isFree.count + 1) * (columns + 1) * 3
    scores = Array(repeating: Int32.min / 2, count: count)
    best = Array(repeating: .pair, count: count)
  }

  private func place(_ row: Int, _ column: Int, _ state: Move) -> Int {
    ((row * (columns + 1)) + column) * 3 + Int(state.rawValue)
  }

  /// Computes all scores, from the end on; `gain` is the lines saved where a row and a column go
  /// together, `nil` where they do not.
  mutating func fill(gain: (Int, Int) -> Int?) {
    for row in stride(from: rows, through: 0, by: -1) {
      let free = row < rows && isFree[row]
      for column in stride(from: columns, through: 0, by: -1) {
        let pair = row < rows && column < columns ? gain(row, column) : nil
        for state in [Move.pair, .onlyBody, .onlyEdge] {
          let here = place(row, column, state)
          if row == rows && column == columns {
            scores[here] = 0
            continue
          }
          var score = Int32.min / 2
          var move = Move.pair
          if let pair {
            score = Int32(clamping: pair) + scores[place(row + 1, column + 1, .pair)]
          }
          if row < rows {
            let cost = free || state == .onlyBody ? 0 : Self.branchLines
            let rest = scores[place(row + 1, column, free ? state : .onlyBody)] - Int32(cost)
            if rest > score { (score, move) = (rest, .onlyBody) }
          }
          if column < columns {
            let cost = state == .onlyEdge ? 0 : Self.branchLines
            let rest = scores[place(row, column + 1, .onlyEdge)] - Int32(cost)
            if rest > score { (score, move) = (rest, .onlyEdge) }
          }
          scores[here] = score
          best[here] = move
        }
      }
    }
  }

  /// The lines saved from a row and column on.
  func score(_ row: Int, _ column: Int) -> Int { Int(scores[place(row, column, .pair)]) }

  /// The column from which the whole body saves most.
  func bestStart() -> Int {
    var start = columns
    for column in stride(from: columns - 1, through: 0, by: -1)
    where score(0, column) > score(0, start) {
      start = column
    }
    return start
  }

  /// The moves of the best alignment from a column on.
  func moves(from start: Int) -> [Move] {
    var moves: [Move] = []
    var row = 0
    var column = start
    var state = Move.pair
    while row < rows || column < columns {
      let move = best[place(row, column, state)]
      moves.append(move)
      switch move {
      case .pair:
        row += 1
        column += 1
        state = .pair
      case .onlyBody:
        if !isFree[row] { state = .onlyBody }
        row += 1
      case .onlyEdge:
        column += 1
        state = .onlyEdge
      }
    }
    return moves
  }
}
