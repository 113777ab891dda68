/// A text with its names resolved: what the expander walks. Statements and nodes have the numbers
/// that they have in the tree, and literals are as they are there.
struct TextPlan: Sendable {
  var statements: [PlanStatement] = []
  var operands: [PlanOperand] = []
  var nodes: [PlanNode] = []
  /// The buffers that operands name, one for each name and memory.
  var keys: [PlanKey] = []
  var rings: [PlanRing] = []
  /// Parameters with their values, in the order of the text.
  var parameters: [(name: UInt32, value: PlanNode)] = []
  /// Index lists and tables.
  var lists: [PlanList] = []
  /// Micro-ops that it makes at least on one core.
  var least: Int64 = 0
  /// Whether the micro-ops mean what they do one after another, and events are made for them.
  var isSequential = false
  /// What becomes of their order.
  var order = QueueOrder.written
  /// Most variables of loops and local names that there are at a time, and one more for the core.
  var variables = 1
}

/// A statement as the expander needs it.
struct PlanStatement: Sendable {
  var kind: TextStatement.Kind
  var opcode: UInt8 = 0
  /// Of an opaque micro-op, whose operands are its tiles, its cycles, its latency, whether it streams
  /// and its unit flag.
  var opaqueQueue: Queue?
  /// Slot of a loop's variable, or of a local name.
  var variable: Int16 = 0
  /// Operands in the order of the record; of a tap, its target and its source.
  var operands = TextSlice()
  /// Events that a micro-op waits for and sets; `row` is the condition.
  var waits = TextSlice()
  var sets = TextSlice()
  var first = TextNumber.none
  var last = TextNumber.none
  var step = TextNumber.none
  /// Of a declaration: its key, tap or list. Of `produce` and `consume`: the ring.
  var key: Int32 = -1
  /// Whether the operands of a micro-op are the same at every turn, unless its core has other buffers.
  var isConstant = false
  /// Micro-ops that one pass of a block makes at least.
  var least: Int64 = 0
}

/// An operand as the expander needs it.
struct PlanOperand: Sendable {
  enum Kind: UInt8, Sendable {
    case tile, integer, scalar, choice, event
  }

  var kind: Kind
  /// Index in ``TextPlan/keys`` of a tile's buffer; of a tap's target, the tap.
  var key: Int32 = -1
  /// 1 + the ring whose current slot a tile takes.
  var ring: Int32 = 0
  /// Whether the ring is being filled rather than used up.
  var isProduced = false
  /// `slot` is also the value of an immediate and an event's ID, `row` an event's condition.
  var slot = TextNumber.none
  var row = TextNumber.none
  var rows = TextNumber.none
  var column = TextNumber.none
  var columns = TextNumber.none
  /// 1 + the index list of a tile.
  var list: UInt32 = 0
  /// A constant immediate, or the queues of an event.
  var word: UInt32 = 0
}

/// A node of an expression.
struct PlanNode: Sendable {
  enum Kind: UInt8, Sendable {
    /// A constant: `value`, or `real` where ``PlanNode/isReal``.
    case constant
    /// A loop's variable, or the core: `value` is its slot.
    case variable
    /// An element of list `value` at `left`.
    case element
    case operation
    /// A node that has been reported.
    case wrong
  }

  var kind: Kind
  var isReal = false
  var operation: TextExpression.Kind = .integer
  var left: Int32 = -1
  var right: Int32 = -1
  var value: Int64 = 0
  var real: Double = 0
}

/// A buffer that operands name.
struct PlanKey: Sendable {
  var name: UInt32
  var space: Space
  /// The key before it that has its name; −1 for none.
  var namesake: Int32
}

/// A buffer that is filled and used up in turn.
struct PlanRing: Sendable {
  var key: Int32
  /// The statement that first names it.
  var statement: Int32
  /// The queue that fills it, and the one that uses it.
  var producer: Queue?
  var consumer: Queue?
}

/// The values of an index list.
struct PlanList: Sendable {
  var name: UInt32
  var statement: Int32
  /// Which index list it is; −1 for a table.
  var number: Int32
  /// Whether a tile or an expression takes its values.
  var isUsed = false
}
