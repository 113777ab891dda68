/// A piece of a program on its way to text: a micro-op, a tap, a declaration of a buffer, or a block.
struct RollNode {
  enum Kind: Int {
    case operation, tap, buffer, scope, loop, core, branch
  }

  var kind: Kind
  /// What it is made from: a record's place in its core, a tap, a buffer, or a scope's label.
  var payload: Int
  /// The core that `payload` counts in.
  var core: Int
  /// What it is apart from its numbers and its body.
  var structure = 0
  /// Equal for nodes that differ at most in the values of their components.
  var shape = 0
  /// Own numbers: places and extents of tiles, the iteration of a scope, the number of a core.
  var components: [RollComponent] = []
  var children: [RollNode] = []
  /// Passes of a loop; cores of a range of them.
  var count = 1
  /// Of a branch: the passes of the innermost loop around it that it is there in, from `low` up to
  /// before `high`, or to the last.
  var low = 0
  var high: Int?
  /// First values of all components, the children's after its own.
  var values: [Int] = []
  /// Lines that it takes.
  var lines = 1

  /// Whether it is a branch for exactly the passes that the branch before it is not there in.
  func isOpposite(of other: RollNode) -> Bool {
    guard kind == .branch, other.kind == .branch else { return false }
    return low == 0 && high == other.low && other.high == nil
      || other.low == 0 && other.high == low && high == nil
  }

  /// Puts values and lines together from the parts.
  mutating func summarise() {
    values = components.map(\.base)
    lines = kind == .operation || kind == .tap || kind == .buffer ? 1 : 2
    for child in children {
      values += child.values
      lines += child.lines
    }
  }
}

/// A number that may change from one pass of a loop to the next.
struct RollComponent {
  enum Kind: UInt8 {
    case plain
    /// An extent, of which the last one may be smaller.
    case extent
    /// The slot of a ring, or the ID of an event: it may go round.
    case cyclic
    /// A choice between yes and no that may differ in the first pass.
    case flag
  }

  var kind: Kind
  /// Its value in the first pass of every loop around it.
  var base: Int
  /// What one pass of each loop around it adds, innermost first.
  var steps: [Int] = []
  /// The values of a ring are taken modulo this; 0 for none.
  var modulus = 0
  /// What is added after the modulus: IDs of a ring that shares its pair of queues start there.
  var offset = 0
  /// The number of slots, which limits how far a ring can go.
  var slots = 0
  /// A ragged extent is at most this; 0 for none.
  var limit = 0
  /// The loop, counted from the innermost from 1 on, in whose first pass a flag differs; 0 for none.
  var flagLevel = 0
  /// Most that inner loops add.
  var spread = 0

  init(_ kind: Kind, _ base: Int, slots: Int = 0) {
    self.kind = kind
    self.base = base
    self.slots = slots
  }

  /// What must be equal for two nodes to have the same shape.
  var signature: [Int] { [modulus, offset, limit, flagLevel, steps.count] + steps }
}

/// Numbers for shapes.
struct RollShapes {
  private var known: [[Int]: Int] = [:]

  mutating func id(_ key: [Int]) -> Int {
    if let id = known[key] { return id }
    let id = known.count + 1
    known[key] = id
    return id
  }

  /// The shape of a block, or of a leaf that lies in loops; `inner` is that of the leaf by itself.
  mutating func id(of node: RollNode, inner: [Int]) -> Int {
    var key = inner
    for component in node.components { key += component.signature }
    key += [-1, node.count, node.low, node.high ?? -1]
    for child in node.children { key.append(child.shape) }
    return id(key)
  }
}
