/// A piece of a program on its way to text: a micro-op with its events, a tap, a declaration of a
/// buffer, or a block.
///
/// A node inside loops stands for all their turns: its ``turns`` name the leaf of a ``RollPool`` in each
/// of them, those of the outermost loop varying slowest.
struct RollNode {
  enum Kind: Int {
    case leaf, scope, loop, core
  }

  var kind: Kind
  /// What it is apart from numbers and events: of a leaf its ``RollLeaf/structure``, of a scope its label.
  var structure: Int
  /// The leaf of each turn, −1 where there is none; of a scope or core, what its head says.
  var turns: RollTurns = []
  var children: [RollNode] = []
  /// Turns of a loop or cores of a range of them.
  var count = 1
  /// Equal for nodes with the same structures inside.
  var skeleton = 0
  /// Lines that it takes, as far as known.
  var lines = 1

  /// Whether it stands on one line: a leaf, or a loop over one.
  var isLine: Bool {
    kind == .leaf || kind == .loop && children.count == 1 && children[0].isLine
  }
}

/// One instance of a micro-op, tap, declaration or head of a block.
struct RollLeaf {
  enum Kind: UInt8 {
    case operation, tap, buffer, scope, core
  }

  var kind: Kind
  /// A record's place in its core, a tap, a buffer, a label, or a core.
  var payload: Int32
  /// The core that ``payload`` counts in.
  var core: Int32
  /// What it is apart from numbers and events.
  var structure: Int32
  /// Where its numbers start in ``RollPool/numbers``.
  var number: Int32
  /// Its waits and then its sets in ``RollPool/events``.
  var event: Int32
  var waits: UInt8 = 0
  var sets: UInt8 = 0
}

/// What a number of a leaf is, which decides how it may change from turn to turn.
struct RollNumber {
  enum Kind: UInt8 {
    case plain
    /// An extent, of which the last one may be smaller.
    case extent
    /// The slot of a ring, or the ID of an event: it may go round.
    case cyclic
    /// A choice between no and yes.
    case flag
  }

  var kind: Kind
  /// Slots of a ring; 0 for IDs.
  var slots = 0
}

/// The leaves of a program.
struct RollPool {
  var leaves: [RollLeaf] = []
  var numbers: [Int] = []
  var events: [Event] = []
  /// The numbers that leaves of a structure have.
  var templates: [[RollNumber]] = [[]]
  private var known: [[Int]: Int] = [:]

  /// The number of a structure, if it is known.
  func structure(_ key: [Int]) -> Int? { known[key] }

  /// Numbers a structure, whose leaves have these numbers.
  mutating func add(_ key: [Int], _ template: [RollNumber] = []) -> Int {
    if let id = known[key] { return id }
    let id = templates.count
    known[key] = id
    templates.append(template)
    return id
  }

  func waits(_ leaf: Int32) -> ArraySlice<Event> {
    let leaf = leaves[Int(leaf)]
    return events[Int(leaf.event)..<Int(leaf.event) + Int(leaf.waits)]
  }

  func sets(_ leaf: Int32) -> ArraySlice<Event> {
    let leaf = leaves[Int(leaf)]
    let first = Int(leaf.event) + Int(leaf.waits)
    return events[first..<first + Int(leaf.sets)]
  }

  /// Where the numbers of the leaf of each turn start; −1 where there is none.
  func starts(_ turns: RollTurns) -> [Int32] {
    turns.values.map { $0 < 0 ? -1 : leaves[Int($0)].number }
  }

  /// Number `place` of each turn; 0 where there is none.
  func values(_ starts: [Int32], _ place: Int) -> [Int] {
    starts.map { $0 < 0 ? 0 : numbers[Int($0) + place] }
  }

  /// The value of number `place` where it is the same in all turns that are there.
  func constant(_ starts: [Int32], _ place: Int) -> Int? {
    guard let first = starts.first(where: { $0 >= 0 }) else { return nil }
    let value = numbers[Int(first) + place]
    for start in starts where start >= 0 && numbers[Int(start) + place] != value { return nil }
    return value
  }

  /// Whether any of the turns has events.
  func hasEvents(_ turns: RollTurns) -> Bool {
    turns.values.contains { $0 >= 0 && (leaves[Int($0)].waits > 0 || leaves[Int($0)].sets > 0) }
  }

  /// The first leaf among turns.
  func sample(_ turns: RollTurns) -> RollLeaf? {
    turns.first { $0 >= 0 }.map { leaves[Int($0)] }
  }
}
