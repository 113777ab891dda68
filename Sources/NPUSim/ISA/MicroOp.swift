/// A micro-op, declared once: name, queue, operands, work, legality and effect.
///
/// Everything else is derived from these members: records, footprints, prices, text, the ISA page
/// and random operands. To add one, conform a type and list it in the catalogue.
public protocol MicroOp: Sendable {
  /// `queue.operation`, unique in a catalogue.
  static var mnemonic: String { get }
  /// One line for the ISA page: the operation as a formula, with shapes and formats.
  static var summary: String { get }
  /// The queue it runs on.
  static var queue: Queue { get }
  /// How it takes part in order; `.data` unless it synchronises.
  static var kind: OpKind { get }
  /// Whether each value has a name, a queue and operands of its own; see ``OpaqueOp``.
  static var isOpaque: Bool { get }

  /// Placeholder operands, to be replaced by a visitor.
  init()

  /// The micro-op that a record of this type's opcode stands for.
  init(_ record: OpRecord, tiles: UnsafePointer<TileRef>)

  /// Names each operand once, at most ``OpRecord/maximumOperands``.
  mutating func visit(_ visitor: inout some OperandVisitor)

  /// The queue of this value; differs from ``queue`` only where an operand decides it.
  var effectiveQueue: Queue { get }

  /// The name of this value, where it is not that of all; `nil` unless ``isOpaque``.
  var ownName: String? { get }

  /// How this value takes part in order; differs from ``kind`` only where an operand decides it.
  var effectiveKind: OpKind { get }

  /// What is wrong with the operands beyond bounds and alignment (judged for all alike): what was
  /// found and what is needed. `nil` when they are legal.
  func legality(_ layout: TileLayout) -> OperandFault?

  /// What the micro-op asks of its unit.
  func work(_ layout: TileLayout) -> Work

  /// Reads its sources and writes its results.
  func execute(_ datapath: inout Datapath)
}

extension MicroOp {
  public static var kind: OpKind { .data }
  public static var isOpaque: Bool { false }
  public var effectiveQueue: Queue { Self.queue }
  public var ownName: String? { nil }
  public var effectiveKind: OpKind { Self.kind }
  public func legality(_ layout: TileLayout) -> OperandFault? { nil }
}
