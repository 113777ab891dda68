/// What a record does to order: most are data, the rest synchronise.
public enum OpKind: UInt8, Sendable, Hashable {
  case data
  /// Sets an event, or waits for one, at its place in a queue.
  case set, wait
  /// Sets an event of another core, at its place in a queue.
  case coreSet
  /// Starts when every earlier micro-op of its queue is visible.
  case barrierQueue
  /// Starts on every queue when every earlier micro-op of the core is visible; stops dispatch.
  case barrierAll
  /// The same over all cores.
  case barrierCores
  /// Sets an event when it is dispatched; takes no slot of a queue.
  case sequencerSet
  /// Stops dispatch until its event has come; takes no slot of a queue.
  case sequencerWait
  /// Stops dispatch until an event of another core has come; takes no slot of a queue.
  case coreWait

  /// Whether it sets an event of its own core.
  @inlinable public var isSet: Bool { self == .set || self == .sequencerSet }
  /// Whether it waits for an event of its own core.
  @inlinable public var isWait: Bool { self == .wait || self == .sequencerWait }
  /// Whether it sets an event of its own core or waits for one.
  @inlinable public var isOfEvent: Bool { isSet || isWait }
  /// Whether it is done by the sequencer as it is dispatched, and goes to no queue.
  @inlinable public var isInSequencer: Bool { rawValue >= OpKind.sequencerSet.rawValue }
  /// Whether it sets an event of another core or waits for one.
  @inlinable public var isBetweenCores: Bool { self == .coreSet || self == .coreWait }
  /// Whether it joins all queues of a core.
  @inlinable public var joinsQueues: Bool { self == .barrierAll || self == .barrierCores }
}

/// How a micro-op uses one operand; the bits combine.
public struct Access: OptionSet, Sendable, Hashable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// The valid extent is read.
  public static let read = Access(rawValue: 1)
  /// The valid extent is written.
  public static let write = Access(rawValue: 2)
  /// The write also zero-fills the last 32-block along the block axis.
  public static let zeroFill = Access(rawValue: 4)
  /// The operand may be exactly the tile that an earlier micro-op of its queue wrote, if that one
  /// ``OpRecord/forwardsResults``: it does not wait for it. A matmul that accumulates continues a
  /// chain so; a micro-op that streams comes behind, element by element.
  public static let forward = Access(rawValue: 8)
  /// The operand may be the very tile of a result: each element is read before its own bytes are
  /// written, and serves no other element. Otherwise no byte of it may belong to a result.
  public static let inPlace = Access(rawValue: 16)

  /// Read and written.
  public static let update: Access = [.read, .write]
  /// Read element by element, so that a result may be the same tile.
  public static let elementwise: Access = [.read, .inPlace]
}

/// One micro-op as programs store it: 40 bytes, no references.
///
/// Operand `k` is `words[k]`: a tile's index in ``Program/tiles`` where ``access(_:)`` is not empty,
/// an immediate otherwise. A `set` or `wait` keeps its ``Event`` in word 0.
public struct OpRecord: Sendable, Hashable {
  /// Most operands of a micro-op.
  public static let maximumOperands = 6

  /// Index in the catalogue.
  public var opcode: UInt8
  public var queue: Queue
  public var kind: OpKind
  public var operandCount: UInt8
  /// Four bits of ``Access`` an operand, operand 0 lowest; from bit 24 on, a bit an operand that is
  /// ``Access/inPlace``; bit 30 is ``forwardsResults``, bit 31 ``hasUnitFlag``.
  public var accessBits: UInt32
  /// Index in ``Program/works``.
  public var work: UInt32
  /// Index in ``Program/scopes``.
  public var scope: UInt32
  public var words: InlineArray<6, UInt32>

  public init(
    opcode: UInt8, queue: Queue, kind: OpKind = .data, work: UInt32 = 0, scope: UInt32 = 0
  ) {
    self.opcode = opcode
    self.queue = queue
    self.kind = kind
    self.operandCount = 0
    self.accessBits = 0
    self.work = work
    self.scope = scope
    self.words = InlineArray(repeating: 0)
  }

  /// How operand `k` is used, ``Access/inPlace`` aside; empty for an immediate.
  @inlinable public func access(_ k: Int) -> Access {
    let shifted = accessBits >> UInt32(truncatingIfNeeded: 4 * k)
    return Access(rawValue: UInt8(truncatingIfNeeded: shifted) & 15)
  }

  /// Whether operand `k` may be the very tile of a result.
  @inlinable public func isInPlace(_ k: Int) -> Bool {
    accessBits >> UInt32(truncatingIfNeeded: 24 + k) & 1 != 0
  }

  /// Whether results may be taken over, or overwritten, by a micro-op behind it on its queue before
  /// they are visible, where that one's operand is exactly this tile and may (``Access/forward``).
  @inlinable public var forwardsResults: Bool {
    get { accessBits >> 30 & 1 != 0 }
    set { accessBits = accessBits & ~(1 << 30) | (newValue ? 1 << 30 : 0) }
  }

  /// Whether it carries a unit flag: its last operand then is one that is set.
  @inlinable public var hasUnitFlag: Bool { accessBits >> 31 != 0 }

  /// Whether it ends a chain of matmuls on its accumulator tile; see ``UnitFlag/release``.
  public var releasesUnit: Bool {
    hasUnitFlag && queue == .matrix && operandCount > 0
      && words[Int(operandCount) - 1] == UInt32(UnitFlag.release.rawValue)
  }

  /// Says of an operand whether it may come behind a result of its queue; see ``Access/forward``.
  mutating func setForward(_ k: Int, to isForward: Bool) {
    let bit = UInt32(Access.forward.rawValue) << UInt32(4 * k)
    accessBits = accessBits & ~bit | (isForward ? bit : 0)
  }

  /// Where it is done: its queue, or the sequencer. For a barrier on all queues the first of them.
  public var end: EventEnd { kind.isInSequencer ? .sequencer : .queue(queue) }

  /// The event of a `set` or `wait`.
  @inlinable public var event: Event { Event(packed: words[0]) }

  public static func == (a: OpRecord, b: OpRecord) -> Bool {
    a.opcode == b.opcode && a.queue == b.queue && a.kind == b.kind
      && a.operandCount == b.operandCount && a.accessBits == b.accessBits && a.work == b.work
      && a.scope == b.scope
      && (0..<maximumOperands).allSatisfy { a.words[$0] == b.words[$0] }
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(opcode)
    hasher.combine(accessBits)
    for k in 0..<OpRecord.maximumOperands { hasher.combine(words[k]) }
  }
}

/// A synchronisation event: an ordered pair of ends and an ID. Its k-th set matches its k-th wait.
public struct Event: Sendable, Hashable {
  /// What sets it.
  public var source: EventEnd
  /// What waits for it.
  public var target: EventEnd
  public var id: UInt16

  /// IDs that there can be of a pair of ends, on a machine that has no limit, too.
  static let identifierCount = 1 << UInt16.bitWidth

  /// The event between two ends.
  public init(source: EventEnd, target: EventEnd, id: UInt16) {
    self.source = source
    self.target = target
    self.id = id
  }

  /// The event between two queues.
  public init(from source: Queue, to target: Queue, id: UInt16) {
    self.init(source: .queue(source), target: .queue(target), id: id)
  }

  @inlinable init(packed: UInt32) {
    source = EventEnd(index: UInt8(truncatingIfNeeded: packed >> 24))
    target = EventEnd(index: UInt8(truncatingIfNeeded: packed >> 16))
    id = UInt16(truncatingIfNeeded: packed)
  }

  /// The form kept in a record.
  @inlinable public var packed: UInt32 {
    UInt32(truncatingIfNeeded: source.index) << 24
      | UInt32(truncatingIfNeeded: target.index) << 16 | UInt32(id)
  }

  /// Ordered pairs of ends.
  public static let pairs = EventEnd.count * EventEnd.count

  /// Index of the ordered pair among ``pairs``.
  @inlinable public var pair: Int { source.index * EventEnd.count + target.index }

  /// What its set does to order: the sequencer's own fires as it is dispatched.
  var setKind: OpKind { source == .sequencer ? .sequencerSet : .set }
  /// What its wait does to order: the sequencer's own stops dispatch.
  var waitKind: OpKind { target == .sequencer ? .sequencerWait : .wait }
}
