/// What the resolver needs of each micro-op, with the names in it as numbers of the text's names.
///
/// An entry of the catalogue holds texts and functions, and looking at one for every line of a text
/// would take longer than all the rest.
struct TextForms: Sendable {
  /// The operands of all forms, one form after the other.
  private(set) var operands: [TextForm.Operand] = []
  /// The words of all choices, one choice after the other.
  private(set) var words: [UInt32] = []
  /// The ends of events by name, in their order.
  let ends: [UInt32]
  private var forms: [TextForm] = []
  /// Opcodes by the name of the mnemonic; −1 for other names.
  private var opcodes: [Int16]

  /// Stands for a name that the text does not have.
  private static let absent = UInt32.max

  init(_ catalogue: OpCatalogue, _ names: TextNames) {
    func id(_ name: String) -> UInt32 { names.known(name) ?? Self.absent }
    ends = EventEnd.all.map { id($0.name) }
    opcodes = Array(repeating: -1, count: names.count)
    for entry in catalogue.entries {
      var form = TextForm(
        opcode: entry.opcode, queue: entry.queue, hasTiles: entry.hasTiles,
        isOpaque: entry.isOpaque)
      form.first = operands.count
      for description in entry.operands {
        var operand = TextForm.Operand(kind: .tile, name: id(description.name))
        switch description.kind {
        case .tile(let space, let access):
          operand.space = space
          operand.isWritten = access.contains(.write)
          if operand.isWritten { form.written += 1 } else { form.read += 1 }
        case .integer: operand.kind = .integer
        case .scalar: operand.kind = .scalar
        case .event: operand.kind = .event
        case .choice(let choices):
          operand.kind = .choice
          operand.isFlag = choices == Bool.choices
          operand.isOptional = description.isOptional
          operand.firstWord = words.count
          words += choices.map(id)
          operand.endWord = words.count
        }
        operands.append(operand)
      }
      form.end = operands.count
      forms.append(form)
      // Those of `sync` may be written without their queue, where no other is named so.
      if entry.mnemonic.hasPrefix("sync."),
        let name = names.known(String(entry.mnemonic.dropFirst(5))), opcodes[Int(name)] < 0
      {
        opcodes[Int(name)] = Int16(entry.opcode)
      }
    }
    for entry in catalogue.entries {
      if let name = names.known(entry.mnemonic) { opcodes[Int(name)] = Int16(entry.opcode) }
    }
  }

  /// The form of a mnemonic; `nil` where the catalogue has none of that name.
  func form(_ name: UInt32) -> TextForm? {
    guard Int(name) < opcodes.count, opcodes[Int(name)] >= 0 else { return nil }
    return forms[Int(opcodes[Int(name)])]
  }

  /// The end of a name.
  func end(_ name: UInt32) -> EventEnd? {
    for index in ends.indices where ends[index] == name { return EventEnd.all[index] }
    return nil
  }

  /// Which word of a choice a name is.
  func word(_ name: UInt32, of operand: TextForm.Operand) -> Int? {
    for place in operand.firstWord..<operand.endWord where words[place] == name {
      return place - operand.firstWord
    }
    return nil
  }
}

/// A micro-op as a text has it.
struct TextForm: Sendable {
  struct Operand: Sendable {
    var kind: PlanOperand.Kind
    var name: UInt32
    var space = Space.hbm
    var isWritten = false
    /// Whether it is a choice of `no` and `yes`.
    var isFlag = false
    /// Whether it may be left out.
    var isOptional = false
    /// Its words in ``TextForms/words``.
    var firstWord = 0
    var endWord = 0
  }

  var opcode: UInt8
  var queue: Queue
  var hasTiles: Bool
  /// Whether the text states its queue, name, operands and time.
  var isOpaque: Bool
  /// Its operands in ``TextForms/operands``.
  var first = 0
  var end = 0
  /// Tiles that are written, and that are only read.
  var written = 0
  var read = 0
}
