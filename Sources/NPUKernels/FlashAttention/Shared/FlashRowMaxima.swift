import NPUSim

/// The row maxima of a score tile with few passes of the slow row reduction: halves of the tile are
/// folded onto each other element by element, which a maximum does not mind, and the reduction takes
/// the narrow rest.
struct FlashRowMaxima: Sendable {
  /// One micro-op; the first fold goes from the scores to the folded tile.
  enum Pass: Sendable {
    /// `folded[0 ..< count] = max(scores[0 ..< count], scores[second ..< second + count])`.
    case begin(count: Int, second: Int)
    /// `folded[0 ..< count] = max(folded[0 ..< count], scores[second ..< second + count])`.
    case scores(count: Int, second: Int)
    /// `folded[0 ..< count] = max(folded[0 ..< count], folded[second ..< second + count])`.
    case fold(count: Int, second: Int)
    /// The row maxima of the first `count` columns of the folded tile.
    case reduceFolded(count: Int)
    /// The row maxima of columns of the scores, together with those so far unless it starts.
    case reduceScores(columns: Range<Int>, start: Bool)
  }

  let passes: [Pass]

  /// - Parameters:
  ///   - width: columns of the scores.
  ///   - folded: columns that the folded tile has.
  ///   - granule: columns that start on the alignment.
  init(width: Int, folded: Int, granule: Int) {
    let whole = width / granule * granule
    let room = folded / granule * granule
    var passes: [Pass] = []
    if whole >= 2 * granule && room >= granule {
      var left = whole
      if whole > room {
        // Slices of the room's width; the last one may overlap the one before.
        var start = min(room, whole - room)
        passes.append(.begin(count: room, second: start))
        while start + room < whole {
          start = min(start + room, whole - room)
          passes.append(.scores(count: room, second: start))
        }
        left = room
      } else {
        let half = (whole / granule + 1) / 2 * granule
        passes.append(.begin(count: half, second: whole - half))
        left = half
      }
      while left >= 2 * granule {
        let half = (left / granule + 1) / 2 * granule
        passes.append(.fold(count: left - half, second: half))
        left = half
      }
      passes.append(.reduceFolded(count: left))
      if whole < width {
        passes.append(.reduceScores(columns: whole..<width, start: false))
      }
    } else {
      passes.append(.reduceScores(columns: 0..<width, start: true))
    }
    self.passes = passes
  }
}
