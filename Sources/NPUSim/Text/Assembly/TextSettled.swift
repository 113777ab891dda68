/// Where the record of each statement stands that makes the same one again.
struct TextSettled {
  private struct Place {
    var turn: UInt32 = 0
    var position: UInt32 = 0
  }

  private var places: [Place]
  /// Counts how often what was known became void.
  private var turn: UInt32 = 1

  /// Room for the statements of a plan.
  init(_ statements: Int) { places = Array(repeating: Place(), count: statements) }

  /// Forgets everything: names stand for other buffers, or another core begins.
  mutating func forget() { turn += 1 }

  /// The place of a record among those of the core; `nil` where none is known.
  func position(of statement: Int) -> Int? {
    let place = places[statement]
    return place.turn == turn ? Int(place.position) : nil
  }

  /// Keeps the place of a record that nothing is wrong with.
  mutating func keep(_ position: Int, of statement: Int) {
    places[statement] = Place(turn: turn, position: UInt32(truncatingIfNeeded: position))
  }
}
