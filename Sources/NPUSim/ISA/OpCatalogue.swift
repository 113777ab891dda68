/// The list of micro-ops that programs may use: what the ISA knows of them, without their types.
///
/// The first four entries are fixed, as the lowering makes them: `set`, `wait`, a barrier
/// on one queue, and a barrier on all.
public struct OpCatalogue: Sendable {
  public let entries: [OpEntry]
  private let opcodes: OpcodeTable
  private let opcodesByMnemonic: [String: UInt8]

  /// Opcode of `set`.
  public static let set: UInt8 = 0
  /// Opcode of `wait`.
  public static let wait: UInt8 = 1
  /// Opcode of a barrier on one queue.
  public static let barrierQueue: UInt8 = 2
  /// Opcode of a barrier on all queues of a core.
  public static let barrierAll: UInt8 = 3

  /// The catalogue of some micro-op types, in order; at most 256.
  public init(_ types: [any MicroOp.Type]) {
    self.init(entries: types.map { OpEntry.of($0) })
  }

  /// The catalogue of some entries, in order; at most 256. Entries made of types that are known
  /// where they are named execute fastest.
  public init(entries: [OpEntry]) {
    var listed: [OpEntry] = []
    var opcodes = OpcodeTable()
    var byMnemonic: [String: UInt8] = [:]
    for var entry in entries.prefix(256) {
      entry.opcode = UInt8(truncatingIfNeeded: listed.count)
      opcodes.insert(entry.opcode, for: entry.type)
      byMnemonic[entry.mnemonic] = entry.opcode
      listed.append(entry)
    }
    self.entries = listed
    self.opcodes = opcodes
    self.opcodesByMnemonic = byMnemonic
  }

  public subscript(opcode: UInt8) -> OpEntry { entries[Int(opcode)] }

  /// The opcode of a type, or `nil` if it is not listed.
  public func opcode(of type: any MicroOp.Type) -> UInt8? { opcodes[type] }

  /// The opcode of a mnemonic, or `nil` if it is not listed.
  public func opcode(named mnemonic: String) -> UInt8? { opcodesByMnemonic[mnemonic] }
}

/// One micro-op of a catalogue with its type erased.
public struct OpEntry: Sendable {
  /// Its place in the catalogue.
  public internal(set) var opcode: UInt8
  public let type: any MicroOp.Type
  public let mnemonic: String
  public let summary: String
  public let queue: Queue
  public let kind: OpKind
  /// Whether its records have names, queues and operands of their own, see ``OpaqueOp``; then none are
  /// listed here, and ``Program/operands(of:)`` has a record's.
  public let isOpaque: Bool
  /// Names, types and access of the operands, in record order.
  public let operands: [OperandDescription]
  /// Work of no amount: its unit, and its path or class.
  public let unit: Work
  /// Executes a record with this opcode.
  public let execute: @Sendable (OpRecord, UnsafePointer<TileRef>, inout Datapath) -> Void
  /// The operands of a record as text, in record order.
  public let describe: @Sendable (OpRecord, Program) -> [String]
  /// What is wrong with a record's operands beyond bounds and alignment.
  public let legality: @Sendable (OpRecord, Program) -> OperandFault?
  /// The operand count, access and queue of a record whose words are set; the word of a tile is its
  /// place among the tiles given.
  let completed: @Sendable (OpRecord, UnsafePointer<TileRef>) -> OpRecord
  /// What is wrong with such a record, and its work where nothing is.
  let judged:
    @Sendable (OpRecord, UnsafePointer<TileRef>, TileLayout) -> (wrong: OperandFault?, Work)

  /// The entry of a type, with opcode 0 until it is listed.
  public static func of<Op: MicroOp>(_ type: Op.Type) -> OpEntry {
    OpEntry(
      opcode: 0, type: type, mnemonic: Op.mnemonic, summary: Op.summary, queue: Op.queue,
      kind: Op.kind, isOpaque: Op.isOpaque,
      operands: Op.listOperands(), unit: Op().work(.placeholder),
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
      },
      completed: { record, tiles in
        var op = Op(record, tiles: tiles)
        var encoder = OperandEncoder()
        op.visit(&encoder)
        var result = record
        result.queue = op.effectiveQueue
        result.kind = op.effectiveKind
        result.operandCount = encoder.count
        result.accessBits = encoder.accessBits
        return result
      },
      judged: { record, tiles, layout in
        let op = Op(record, tiles: tiles)
        if let wrong = op.legality(layout) { return (wrong, .none) }
        return (nil, op.work(layout))
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
