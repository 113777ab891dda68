extension OpRecord {
  /// A `set` or `wait` of an event, as `kind` says; where the sequencer does it, it is of its kind.
  static func synchronise(_ event: Event, _ kind: OpKind, scope: UInt32) -> OpRecord {
    var record = OpRecord(
      opcode: kind == .set ? OpCatalogue.set : OpCatalogue.wait,
      queue: (kind == .set ? event.source : event.target).queue ?? .load,
      kind: kind == .set ? event.setKind : event.waitKind, scope: scope)
    record.operandCount = 1
    record.words[0] = event.packed
    return record
  }

  /// A barrier on all queues.
  static func fence(scope: UInt32) -> OpRecord {
    OpRecord(opcode: OpCatalogue.barrierAll, queue: .load, kind: .barrierAll, scope: scope)
  }

  /// A barrier on one queue.
  static func barrier(_ queue: Queue, scope: UInt32) -> OpRecord {
    var record = OpRecord(
      opcode: OpCatalogue.barrierQueue, queue: queue, kind: .barrierQueue, scope: scope)
    record.operandCount = 1
    record.words[0] = UInt32(queue.rawValue)
    return record
  }
}
