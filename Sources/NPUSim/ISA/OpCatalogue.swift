/// The list of micro-ops that programs may use: what the ISA knows of them, without their types.
///
/// The first four entries are fixed, as the lowering of tokens makes them: `set`, `wait`, a barrier
/// on one queue, and a barrier on all.
public struct OpCatalogue: Sendable {
  public let entries: [OpEntry]
  private let opcodes: [ObjectIdentifier: UInt8]
  private let opcodesByMnemonic: [String: UInt8]

  /// Opcode of `set`.
  public static let set: UInt8 = 0
  /// Opcode of `wait`.
  public static let wait: UInt8 = 1
  /// Opcode of a barrier on one queue.
  public static let barrierQueue: UInt8 = 2
  /// Opcode of a barrier on all queues of a core.
  public static let barrierAll: UInt8 = 3

  public init(_ types: [any MicroOp.Type]) {
    var entries: [OpEntry] = []
    var opcodes: [ObjectIdentifier: UInt8] = [:]
    var byMnemonic: [String: UInt8] = [:]
    for type in types.prefix(256) {
      let opcode = UInt8(truncatingIfNeeded: entries.count)
      opcodes[ObjectIdentifier(type)] = opcode
      byMnemonic[type.mnemonic] = opcode
      entries.append(OpEntry.make(type, opcode: opcode))
    }
    self.entries = entries
    self.opcodes = opcodes
    self.opcodesByMnemonic = byMnemonic
  }

  public subscript(opcode: UInt8) -> OpEntry { entries[Int(opcode)] }

  /// The opcode of a type, or `nil` if it is not listed.
  public func opcode(of type: any MicroOp.Type) -> UInt8? { opcodes[ObjectIdentifier(type)] }

  /// The opcode of a mnemonic, or `nil` if it is not listed.
  public func opcode(named mnemonic: String) -> UInt8? { opcodesByMnemonic[mnemonic] }
}

/// One micro-op of a catalogue with its type erased.
public struct OpEntry: Sendable {
  public let opcode: UInt8
  public let mnemonic: String
  public let summary: String
  public let queue: Queue
  public let kind: OpKind
  /// Names, types and access of the operands, in record order.
  public let operands: [OperandDescription]
  /// Executes a record with this opcode.
  public let execute: @Sendable (OpRecord, UnsafePointer<TileRef>, inout Datapath) -> Void
  /// The operands of a record as text, in record order.
  public let describe: @Sendable (OpRecord, Program) -> [String]
  /// What is wrong with a record's operands beyond bounds and alignment.
  public let legality: @Sendable (OpRecord, Program) -> String?

  static func make<Op: MicroOp>(_ type: Op.Type, opcode: UInt8) -> OpEntry {
    var lister = OperandLister()
    var sample = Op()
    sample.visit(&lister)
    return OpEntry(
      opcode: opcode, mnemonic: Op.mnemonic, summary: Op.summary, queue: Op.queue, kind: Op.kind,
      operands: lister.operands,
      execute: { record, tiles, datapath in
        Op(record, tiles: tiles).execute(&datapath)
      },
      describe: { record, program in
        var op = program.tiles.withUnsafeBufferPointer { tiles in
          tiles.baseAddress.map { Op(record, tiles: $0) } ?? Op()
        }
        var printer = OperandPrinter(program: program)
        op.visit(&printer)
        return printer.texts
      },
      legality: { record, program in
        let op = program.tiles.withUnsafeBufferPointer { tiles in
          tiles.baseAddress.map { Op(record, tiles: $0) } ?? Op()
        }
        return op.legality(TileLayout(program))
      })
  }
}

extension MicroOp {
  /// The micro-op that a record of this type's opcode stands for.
  @inlinable public init(_ record: OpRecord, tiles: UnsafePointer<TileRef>) {
    self.init()
    var decoder = OperandDecoder(words: record.words, tiles: tiles)
    visit(&decoder)
  }
}
