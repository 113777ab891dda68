/// Replaces operands by those of a record.
@usableFromInline struct OperandDecoder: OperandVisitor {
  @usableFromInline let words: InlineArray<6, UInt32>
  @usableFromInline let tiles: UnsafePointer<TileRef>
  @usableFromInline var next = 0

  @inlinable init(words: InlineArray<6, UInt32>, tiles: UnsafePointer<TileRef>) {
    self.words = words
    self.tiles = tiles
  }

  @inlinable mutating func word() -> UInt32 {
    let value = words[next]
    next += 1
    return value
  }

  @inlinable
  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    tile.ref = tiles[Int(word())]
  }

  @inlinable mutating func scalar(_ name: String, _ value: inout Float) {
    value = Float(bitPattern: word())
  }

  @inlinable mutating func integer(_ name: String, _ value: inout Int32) {
    value = Int32(bitPattern: word())
  }

  @inlinable mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    if let decoded = C(choiceIndex: Int(word())) { value = decoded }
  }

  @inlinable mutating func event(_ name: String, _ value: inout Event) {
    value = Event(packed: word())
  }
}

/// What the ISA page and the text form know of one operand.
public struct OperandDescription: Sendable, Hashable {
  /// What kind of operand it is.
  public enum Kind: Sendable, Hashable {
    case tile(Space, Access)
    case scalar, integer, event
    case choice([String])
  }

  public var name: String
  public var kind: Kind
  /// For a tile, the words of other operands under which it is used differently, as `name=word`.
  public var variants: [Variant] = []
  /// Whether a text may leave it out; it then is the first word of a choice.
  public var isOptional = false

  /// How a tile is used where another operand has a word of its own.
  public struct Variant: Sendable, Hashable {
    public var word: String
    public var access: Access
  }
}

extension MicroOp {
  /// The operands of the type: of a sample, with what other choices would change.
  static func listOperands() -> [OperandDescription] {
    var lister = OperandLister()
    var sample = Self()
    sample.visit(&lister)
    var operands = lister.operands
    for choice in operands {
      guard case .choice(let words) = choice.kind else { continue }
      for (index, word) in words.enumerated() {
        var setter = ChoiceSetter(name: choice.name, index: index)
        var other = Self()
        other.visit(&setter)
        var relister = OperandLister()
        other.visit(&relister)
        for (k, changed) in relister.operands.enumerated() where changed.kind != operands[k].kind {
          if case .tile(_, let access) = changed.kind {
            operands[k].variants.append(.init(word: "\(choice.name)=\(word)", access: access))
          }
        }
      }
    }
    return operands
  }
}

/// Sets one choice of a micro-op.
struct ChoiceSetter: OperandVisitor {
  let name: String
  let index: Int

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {}
  mutating func scalar(_ name: String, _ value: inout Float) {}
  mutating func integer(_ name: String, _ value: inout Int32) {}
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    if name == self.name, let chosen = C(choiceIndex: index) { value = chosen }
  }
  mutating func event(_ name: String, _ value: inout Event) {}
}

/// Lists the operands of a micro-op.
struct OperandLister: OperandVisitor {
  var operands: [OperandDescription] = []

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    operands.append(OperandDescription(name: name, kind: .tile(S.space, access)))
  }

  mutating func scalar(_ name: String, _ value: inout Float) {
    operands.append(OperandDescription(name: name, kind: .scalar))
  }

  mutating func integer(_ name: String, _ value: inout Int32) {
    operands.append(OperandDescription(name: name, kind: .integer))
  }

  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    operands.append(OperandDescription(name: name, kind: .choice(C.choices)))
  }

  mutating func event(_ name: String, _ value: inout Event) {
    operands.append(OperandDescription(name: name, kind: .event))
  }

  mutating func unitFlag<C: OperandChoice>(_ name: String, _ value: inout C) {
    operands.append(
      OperandDescription(name: name, kind: .choice(C.choices), isOptional: true))
  }
}

/// The operands as text: `buffer[slot][row +: rows, column +: columns]`, `name=value`.
struct OperandPrinter: OperandVisitor {
  let program: Program
  var texts: [String] = []

  init(program: Program) { self.program = program }

  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access) {
    texts.append(program.describe(tile.ref))
  }

  mutating func scalar(_ name: String, _ value: inout Float) { texts.append("\(name)=\(value)") }

  mutating func integer(_ name: String, _ value: inout Int32) { texts.append("\(name)=\(value)") }

  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C) {
    texts.append("\(name)=\(C.choices[value.choiceIndex])")
  }

  mutating func event(_ name: String, _ value: inout Event) {
    texts.append("\(value.source.name)->\(value.target.name):\(value.id)")
  }

  mutating func unitFlag<C: OperandChoice>(_ name: String, _ value: inout C) {
    if value.choiceIndex != 0 { choice(name, &value) }
  }
}

extension Program {
  /// A tile as text programs write it: `buffer[slot][row +: rows, column +: columns]`.
  public func describe(_ tile: TileRef) -> String {
    guard Int(tile.buffer) < buffers.count else { return "?" }
    let buffer = buffers[Int(tile.buffer)]
    let slot = buffer.slots > 1 || tile.slot != 0 ? "[\(tile.slot)]" : ""
    let list = tile.indexList == 0 ? "" : "\(listName(Int(tile.indexList) - 1)) @ "
    return "\(buffer.name)\(slot)[\(list)\(tile.row) +: \(tile.rows), \(tile.column) +: "
      + "\(tile.columns)]"
  }
}

extension OperandDescription {
  /// How a tile is used; `nil` for what is no tile.
  var tileAccess: Access? {
    if case .tile(_, let access) = kind { return access }
    return nil
  }
}
