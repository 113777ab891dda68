/// A text as the parser leaves it and the formatter prints it: nothing is resolved, comments are kept.
///
/// Everything lies in a few flat arrays. A block is a line followed by its body and by the line that ends
/// it, which it knows as ``TextLine/partner``. Lines that say the same may share a statement: in a text
/// without loops most lines stood before.
struct TextTree: Sendable {
  var names = TextNames()
  /// What the text says, in its order.
  var lines: [TextLine] = []
  /// In the order of their first lines.
  var statements: [TextStatement] = []
  var operands: [TextOperand] = []
  var attributes: [TextAttribute] = []
  var declarations: [TextDeclaration] = []
  var expressions: [TextExpression] = []
  /// Lists of expressions: dimensions, and the values of index lists.
  var lists: [TextNumber] = []
  /// The places in other sources that lines come from.
  var origins: [TextOrigin] = []
  /// What stands after the `;` of each comment, without spaces at its end.
  var comments: [[UInt8]] = []

  /// What a declaration says; nothing for other statements.
  func declaration(of statement: TextStatement) -> TextDeclaration {
    statement.declaration < 0
      ? TextDeclaration() : declarations[Int(statement.declaration)]
  }

  /// The statement of a line.
  func statement(_ line: Int) -> TextStatement { statements[Int(lines[line].statement)] }

  /// Where the statement of a line stands.
  func span(_ line: Int) -> TextSpan { statement(line).span.shifted(lines[line].shift) }

  /// Adds a line with a statement of its own.
  mutating func append(_ statement: TextStatement) {
    lines.append(TextLine(statement: Int32(statements.count)))
    statements.append(statement)
  }

  /// Removes the last line with its statement.
  mutating func removeLast() {
    lines.removeLast()
    statements.removeLast()
  }

  /// Keeps where a statement comes from.
  mutating func place(_ origin: TextOrigin, of statement: inout TextStatement) {
    statement.origin = Int32(origins.count)
    origins.append(origin)
  }

  /// Keeps what a statement declares.
  mutating func declare(_ declaration: TextDeclaration, by statement: inout TextStatement) {
    statement.declaration = Int32(declarations.count)
    declarations.append(declaration)
  }
}

/// A part of one of the arrays of a ``TextTree``.
struct TextSlice: Sendable {
  var first: Int32 = 0
  var count: Int32 = 0

  var range: Range<Int> { Int(first)..<Int(first + count) }
  var isEmpty: Bool { count == 0 }
}

/// Where a statement stands.
struct TextLine: Sendable {
  /// Its place in ``TextTree/statements``.
  var statement: Int32
  /// How many bytes behind the first line of the statement, which has the spans.
  var shift: UInt32 = 0
  /// Of a block: the line of its end, or of the `.else` of a branch.
  var partner: Int32 = -1
}

/// What a line says.
struct TextStatement: Sendable {
  enum Kind: UInt8, Sendable {
    case blank, comment
    /// How the program is synchronised, and what becomes of its order.
    case synchronisation, order
    case parameter, input, output, update, tensor, index, table, tapTensor, buffer
    case operation, tap
    case local
    /// A counter, and a step of one.
    case counter, advance
    case core, loop, scope, branch, otherwise, produce, consume, end
    /// A macro with its arguments as operands, a call of one, and the block that takes a call's place.
    case macro, call, expansion
  }

  var kind: Kind
  /// Without its comment.
  var span: TextSpan
  /// The mnemonic, what is declared, or the word of a setting.
  var name: UInt32 = 0
  var nameSpan = TextSpan.none
  /// Operands of a micro-op, or the labels of a scope with their iterations as slots.
  var operands = TextSlice()
  /// How many of the operands stand before the arrow; −1 where there is none.
  var destinations: Int16 = -1
  var attributes = TextSlice()
  /// Events that a micro-op waits for and sets, as operands: `name` is the other queue, `slot` the ID,
  /// `row` the condition.
  var waits = TextSlice()
  var sets = TextSlice()
  /// Value of a parameter, local name or counter, condition of a branch, first iteration of a loop, first
  /// core.
  var first = TextNumber.none
  /// End of a loop, or of a range of cores.
  var last = TextNumber.none
  /// Step of a loop, or of a counter.
  var step = TextNumber.none
  /// Whether a block stands on the line of its one statement, or an end is not written as that line ends.
  var isInline = false
  /// 1 + the index of the comment after it.
  var comment: UInt32 = 0
  /// What else a declaration says, in ``TextTree/declarations``; −1 for other statements.
  var declaration: Int32 = -1
  /// Where it comes from, in ``TextTree/origins``; −1 where it does not say so.
  var origin: Int32 = -1

  /// Whether it opens a block.
  var opensBlock: Bool {
    switch kind {
    case .core, .loop, .scope, .branch, .otherwise, .produce, .consume, .macro, .expansion: true
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

/// `@ FILE:LINE` behind a micro-op: where it stands in the source that the text was made of.
struct TextOrigin: Sendable {
  var file: UInt32
  /// From 1 on.
  var line: Int32
}

/// What only a declaration and an opaque micro-op say. It is kept apart, as most statements are neither.
struct TextDeclaration: Sendable {
  /// The format of a declaration, or the name of an opaque micro-op.
  var format: UInt32 = 0
  var formatSpan = TextSpan.none
  /// The memory of a buffer, or the queue of an opaque micro-op.
  var space: UInt32 = 0
  var spaceSpan = TextSpan.none
  /// Dimensions of a declaration.
  var dimensions = TextSlice()
  /// Values of an index list or table.
  var values = TextSlice()
  /// Whether an index list states its values.
  var hasValues = false
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
  /// The queue that waits for an event, or the index list that a tile's rows come from.
  var other: UInt32 = 0
  var otherSpan = TextSpan.none
  /// The memory that is written before the buffer; ``noMemory`` where none is.
  var memory = TextOperand.noMemory
  /// The slot, or the ID of an event, or a value.
  var slot = TextNumber.none
  var hasList = false
  /// Whether rows and columns are written.
  var hasRegion = false
  /// First row, rows, first column and columns; none for all of them.
  var row = TextNumber.none
  var rows = TextNumber.none
  var column = TextNumber.none
  var columns = TextNumber.none

  static let noMemory = UInt32.max
}

/// A named value in braces.
struct TextAttribute: Sendable {
  var name: UInt32
  var nameSpan: TextSpan
  /// Its value; none where it is a list.
  var value: TextNumber
  var list = TextSlice()
}

/// A number where one may stand: none, an expression, or a small literal that needs no node.
struct TextNumber: Sendable, Hashable {
  /// −1 for none, nodes from 0 on, and −2 − value for a literal.
  private let code: Int32

  /// Largest literal that makes no node.
  static var largestLiteral: Int { 65_535 }

  static var none: TextNumber { TextNumber(node: -1) }

  /// An expression by the place of its root; none for −1.
  init(node: Int32) { code = max(-1, node) }

  /// A whole number from 0 to ``largestLiteral``.
  init(literal: Int) {
    code = -2 - Int32(truncatingIfNeeded: min(max(0, literal), Self.largestLiteral))
  }

  var isThere: Bool { code != -1 }

  /// The place of an expression's root; −1 for none and for literals.
  var node: Int32 { max(-1, code) }

  var isNode: Bool { code >= 0 }

  var literal: Int64? { code < -1 ? Int64(-2 - code) : nil }
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
    /// `if(c, a, b)`: `left` is the condition, `right` an `either`.
    case conditional
    /// The two values of a `conditional`; it stands nowhere else.
    case either
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
    case .conditional: "if"
    case .integer, .real, .name, .word, .element, .either: ""
    }
  }

  /// The functions by their names. All take two values, but for `if`, which has a condition before them.
  static let functions: [(name: String, kind: Kind)] = [
    ("min", .minimum), ("max", .maximum), ("ceildiv", .roundedUpQuotient), ("if", .conditional),
  ]
}
