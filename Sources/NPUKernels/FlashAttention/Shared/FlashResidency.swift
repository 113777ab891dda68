import NPUSim

/// Which slot of `l1` each use of a piece finds it in, and which uses bring it: the slots are planned
/// ahead from the whole sequence of uses. A piece stays until its slot is needed; what is given up is
/// the piece whose next use is farthest.
struct FlashResidency: Sendable {
  /// A use of a piece.
  struct Use: Sendable {
    /// Identifies the piece.
    var piece: Int
    var slot: Int
    /// Whether the piece is brought for this use.
    var isFetch: Bool
    /// Whether it has been in `l1` before.
    var isReturn: Bool
    /// Whether the piece, brought for this use, is brought once more later.
    var returns: Bool
  }

  private(set) var uses: [Use] = []
  /// Most uses that a fetch may be emitted before its own.
  let ahead: Int

  /// - Parameters:
  ///   - pieces: the piece of each use, in order.
  ///   - slots: at least 1.
  ///   - ahead: wished; with few slots there is less.
  init(_ pieces: [Int], slots: Int, ahead: Int) {
    self.ahead = max(0, min(ahead, slots - 1))
    var nextUse = [Int](repeating: .max, count: pieces.count)
    var later: [Int: Int] = [:]
    for index in pieces.indices.reversed() {
      nextUse[index] = later[pieces[index]] ?? .max
      later[pieces[index]] = index
    }
    var occupant = [Int?](repeating: nil, count: slots)
    var next = [Int](repeating: .max, count: slots)
    var lastUse = [Int](repeating: -1, count: slots)
    var place: [Int: Int] = [:]
    var lastFetch: [Int: Int] = [:]
    for (index, piece) in pieces.enumerated() {
      var use = Use(piece: piece, slot: 0, isFetch: false, isReturn: false, returns: false)
      if let slot = place[piece] {
        use.slot = slot
      } else {
        // Slots of the uses just before may not have been read yet when this fetch is emitted.
        let open = occupant.indices.filter { lastUse[$0] < 0 || lastUse[$0] < index - self.ahead }
        let slot = open.max { key(occupant[$0], next[$0], $0) < key(occupant[$1], next[$1], $1) }
        use.slot = slot ?? 0
        use.isFetch = true
        if let old = occupant[use.slot] { place[old] = nil }
        if let before = lastFetch[piece] {
          use.isReturn = true
          uses[before].returns = true
        }
        lastFetch[piece] = index
        occupant[use.slot] = piece
        place[piece] = use.slot
      }
      next[use.slot] = nextUse[index]
      lastUse[use.slot] = index
      uses.append(use)
    }

    /// Empty slots first, then the farthest next use, then the lowest slot.
    func key(_ piece: Int?, _ next: Int, _ slot: Int) -> (Int, Int, Int) {
      (piece == nil ? 1 : 0, next, -slot)
    }
  }
}
