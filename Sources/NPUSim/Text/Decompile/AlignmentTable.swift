/// Aligns two lists of nodes: which go together, and which are only in one of the two. A run of the
/// latter costs the two lines of an `.if`.
struct AlignmentTable {
  /// One step of an alignment.
  enum Move: UInt8 { case pair, onlyFirst, onlySecond }

  private static let branchLines: Int32 = 2

  private let rows: Int
  private let columns: Int
  /// Best gain of the rest from a row and column on, by the move before it.
  private var scores: [Int32]
  private var best: [Move]

  /// Computes all scores, from the end on; `gain` is the lines saved where a row and a column go
  /// together, 0 where they do not.
  init(rows: Int, columns: Int, gain: (Int, Int) -> Int32) {
    self.rows = rows
    self.columns = columns
    let count = (rows + 1) * (columns + 1) * 3
    scores = Array(repeating: Int32.min / 2, count: count)
    best = Array(repeating: .pair, count: count)
    for row in stride(from: rows, through: 0, by: -1) {
      for column in stride(from: columns, through: 0, by: -1) {
        let pair = row < rows && column < columns ? gain(row, column) : 0
        fill(row, column, pair)
      }
    }
  }

  private mutating func fill(_ row: Int, _ column: Int, _ pair: Int32) {
    let together = pair > 0 ? pair + scores[place(row + 1, column + 1, .pair)] : .min / 2
    let first = row < rows ? scores[place(row + 1, column, .onlyFirst)] : .min / 2
    let second = column < columns ? scores[place(row, column + 1, .onlySecond)] : .min / 2
    for state in [Move.pair, .onlyFirst, .onlySecond] {
      let here = place(row, column, state)
      if row == rows && column == columns {
        scores[here] = 0
        continue
      }
      var score = together
      var move = Move.pair
      let alone = state == .onlyFirst ? first : first - Self.branchLines
      if alone > score { (score, move) = (alone, .onlyFirst) }
      let other = state == .onlySecond ? second : second - Self.branchLines
      if other > score { (score, move) = (other, .onlySecond) }
      scores[here] = score
      best[here] = move
    }
  }

  private func place(_ row: Int, _ column: Int, _ state: Move) -> Int {
    ((row * (columns + 1)) + column) * 3 + Int(state.rawValue)
  }

  /// The lines saved from a row and column on.
  func score(_ row: Int, _ column: Int) -> Int { Int(scores[place(row, column, .pair)]) }

  /// The moves of the best alignment from a row and column on.
  func moves(from row: Int, _ column: Int) -> [Move] {
    var moves: [Move] = []
    var row = row
    var column = column
    var state = Move.pair
    while row < rows || column < columns {
      let move = best[place(row, column, state)]
      moves.append(move)
      state = move
      if move != .onlySecond { row += 1 }
      if move != .onlyFirst { column += 1 }
    }
    return moves
  }
}
