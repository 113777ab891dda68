/// A record as its lines say it: what an instrumented kernel issued, micro-op by micro-op. Nothing is
/// placed yet.
struct RecordTree: Sendable {
  /// The names of micro-ops, tensors and buffers, and those of source files.
  var names = TextNames()
  var tensors: [RecordTensor] = []
  var buffers: [RecordBuffer] = []
  /// The lines of each core, in their order.
  var cores: [[RecordLine]] = [[]]
  var areas: [RecordArea] = []
}

/// `hbm NAME ROLE ADDRESS BYTES`
struct RecordTensor: Sendable {
  var name: UInt32
  var role: Buffer.Role
  var address: Int
  var bytes: Int
  var span: TextSpan
}

/// `buffer NAME MEMORY ADDRESS BYTES SLOTS`
struct RecordBuffer: Sendable {
  var name: UInt32
  var core: Int
  var space: Space
  var address: Int
  /// Bytes of one slot; the next one lies behind it.
  var bytes: Int
  var slots: Int
  var span: TextSpan
}

/// One micro-op as it was issued.
struct RecordLine: Sendable {
  enum Kind: Sendable, Equatable {
    /// Opaque, with its queue and its name.
    case op(Queue, name: UInt32)
    case set(Event), wait(Event)
    /// Events of the current core and another.
    case coreSet(UInt16, Event), coreWait(UInt16, Event)
    case barrier(Queue)
    case barrierAll, barrierCores
  }

  var kind: Kind
  /// Where it stands in the record.
  var span: TextSpan
  /// Its areas in ``RecordTree/areas``: those that are written first.
  var area: Int32 = 0
  var written: UInt8 = 0
  var read: UInt8 = 0
  /// Whether it goes on from what is left in its tiles.
  var streams = false
  var unit = UnitFlag.none
  /// −1 where they are left out.
  var cycles: Int64 = -1
  var latency: Int64 = -1
  /// The place in its source: the name of the file, and a line from 1 on; 0 for none.
  var file: UInt32 = 0
  var line: Int32 = 0
}

/// Bytes that a micro-op writes or reads: rows of `length` bytes, `pitch` bytes apart.
struct RecordArea: Sendable {
  /// HBM as a whole counts through its tensors' addresses.
  enum Owner: Sendable, Hashable {
    case memory(Space)
    case tensor(Int)
    case buffer(Int)
  }

  var owner: Owner
  /// The first byte: in the memory, or counted from the start of the tensor or buffer.
  var address: Int
  var length: Int
  var rows: Int
  /// `length` where there is one row.
  var pitch: Int
  var span: TextSpan

  /// From the first byte to the one behind the last.
  var extent: Int { (rows - 1) * pitch + length }
  /// Whether its rows follow one another without a gap.
  var isContiguous: Bool { rows == 1 || pitch == length }
}
