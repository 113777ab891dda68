/// A micro-op that reads a byte which no ordered earlier write initialises.
struct UninitialisedRead: Hashable {
  var core: Int
  var op: Int
  /// A tile with such a byte.
  var tile: UInt32
  /// Whether an earlier micro-op writes each such byte, with nothing that orders the two: then the race
  /// is to be mended, not the read.
  var isRaced = false
}
