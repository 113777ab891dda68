/// A text as the parser leaves it and the formatter prints it: nothing is resolved, comments are kept.
///
/// Everything lies in a few flat arrays. A block is a statement followed by its body and by the
/// statement that ends it, which know each other as ``TextStatement/partner``.
struct TextTree: Sendable {
  var names = TextNames()
  var statements: [TextStatement] = []
  var operands: [TextOperand] = []
  var attributes: [TextAttribute] = []
  var expressions: [TextExpression] = []
  /// Lists of expressions: dimensions, and the values of index lists.
  var lists: [Int32] = []
  /// What stands after the `;` of each comment, without spaces at its end.
  var comments: [[UInt8]] = []
}

/// A part of one of the arrays of a ``TextTree``.
struct TextSlice: Sendable {
  var first: Int32 = 0
  var count: Int32 = 0

  var range: Range<Int> { Int(first)..<Int(first + count) }
  var isEmpty: Bool { count == 0 }
}

/// A line of a text.
struct TextStatement: Sendable {
  enum Kind: UInt8, Sendable {
    case blank, comment
    case parameter, input, output, update, tensor, index, table, tapTensor, buffer
    case operation, tap
    case local
    case core, loop, scope, branch, otherwise, produce, consume, end
  }

  var kind: Kind
  /// Without its comment.
  var span: TextSpan
  /// The mnemonic, or what is declared.
  var name: UInt32 = 0
  var nameSpan = TextSpan.none
  /// The format of a declaration.
  var format: UInt32 = 0
  var formatSpan = TextSpan.none
  /// The memory of a buffer.
  var space: UInt32 = 0
  var spaceSpan = TextSpan.none
  /// Operands of a micro-op, or the labels of a scope with their iterations as slots.
  var operands = TextSlice()
  /// How many of the operands stand before the arrow; −1 where there is none.
  var destinations: Int16 = -1
  var attributes = TextSlice()
  /// Events that a micro-op waits for and sets, as operands: `name` is the other queue, `slot` the ID,
  /// `row` the condition.
  var waits = TextSlice()
  var sets = TextSlice()
  /// Dimensions of a declaration.
  var dimensions = TextSlice()
  /// Values of an index list or table.
  var values = TextSlice()
  /// Whether an index list states its values.
  var hasValues = false
  /// Value of a parameter or local name, condition of a branch, first iteration of a loop, first core.
  var first: Int32 = -1
  /// End of a loop, or of a range of cores.
  var last: Int32 = -1
  /// Step of a loop.
  var step: Int32 = -1
  /// Whether a block stands on the line of its one statement, or an end is not written as that line ends.
  var isInline = false
  /// Of a block: its end, or the `.else` of a branch. Of an end or `.else`: what it closes.
  var partner: Int32 = -1
  /// 1 + the index of the comment after it.
  var comment: UInt32 = 0

  /// Whether it opens a block.
  var opensBlock: Bool {
    switch kind {
    case .core, .loop, .scope, .branch, .otherwise, .produce, .consume: true
    default: false
    }
  }

  /// Whether it ends the block before it.
  var closesBlock: Bool { kind == .end || kind == .otherwise }

  /// Whether it declares something.
  var isDeclaration: Bool {
    switch kind {
    case .parameter, .input, .output, .update, .tensor, .index, .table, .tapTensor, .buffer: true
    default: false
    }
  }
}

/// An operand as it is written: a tile, an event, or a value.
struct TextOperand: Sendable {
  enum Kind: UInt8, Sendable {
    case tile, event, value
  }

  var kind: Kind
  var span: TextSpan
  /// The buffer, or the queue that sets an event.
  var name: UInt32 = 0
  var nameSpan = TextSpan.none
  /// The queue that waits for an event.
  var target: UInt32 = 0
  var targetSpan = TextSpan.none
  /// The slot, or the ID of an event, or a value; −1 where nothing is written.
  var slot: Int32 = -1
  /// The index list that the rows come from.
  var list: UInt32 = 0
  var listSpan = TextSpan.none
  var hasList = false
  /// Whether rows and columns are written.
  var hasRegion = false
  /// First row, rows, first column and columns; −1 for all of them.
  var row: Int32 = -1
  var rows: Int32 = -1
  var column: Int32 = -1
  var columns: Int32 = -1
}

/// A named value in braces.
struct TextAttribute: Sendable {
  var name: UInt32
  var nameSpan: TextSpan
  /// Its value; −1 where it is a list.
  var value: Int32
  var list = TextSlice()
}

/// A node of an expression. Operands come before the node that combines them.
struct TextExpression: Sendable {
  enum Kind: UInt8, Sendable {
    case integer, real, name
    /// A name with hyphens, as some words of micro-ops have.
    case word
    /// `list[index]`
    case element
    case negate, not
    case multiply, divide, remainder, add, subtract
    case less, lessEqual, greater, greaterEqual, equal, notEqual, and, or
    case minimum, maximum, roundedUpQuotient
  }

  var kind: Kind
  /// Longest way to a leaf.
  var depth: UInt16 = 0
  var left: Int32 = -1
  var right: Int32 = -1
  /// A name; the text of a real number, or of an integer that is not plain decimal; 1 + the number of
  /// the name for integers, 0 for decimal ones.
  var name: UInt32 = 0
  var value: Int64 = 0
  var span: TextSpan

  /// How tightly an operator binds; leaves and functions bind most.
  var precedence: Int {
    switch kind {
    case .or: 1
    case .and: 2
    case .less, .lessEqual, .greater, .greaterEqual, .equal, .notEqual: 3
    case .add, .subtract: 4
    case .multiply, .divide, .remainder: 5
    case .negate, .not: 6
    default: 7
    }
  }

  /// The sign of an operator, or the name of a function.
  var sign: String {
    switch kind {
    case .negate, .subtract: "-"
    case .not: "!"
    case .multiply: "*"
    case .divide: "/"
    case .remainder: "%"
    case .add: "+"
    case .less: "<"
    case .lessEqual: "<="
    case .greater: ">"
    case .greaterEqual: ">="
    case .equal: "=="
    case .notEqual: "!="
    case .and: "&&"
    case .or: "||"
    case .minimum: "min"
    case .maximum: "max"
    case .roundedUpQuotient: "ceildiv"
    case .integer, .real, .name, .word, .element: ""
    }
  }

  /// The functions of two values, by their names.
  static let functions: [(name: String, kind: Kind)] = [
    ("min", .minimum), ("max", .maximum), ("ceildiv", .roundedUpQuotient),
  ]
}
