/// A micro-op that reads a byte which no ordered earlier write initialises.
struct UninitialisedRead: Hashable {
  var core: Int
  var op: Int
  /// A tile with such a byte.
  var tile: UInt32
}
