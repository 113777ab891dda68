/// What a core's list holds, counted before time starts; a broken list is refused here.
struct CoreCensus {
  /// Micro-ops of each queue; barriers on all count on every one.
  private(set) var ops = InlineArray<6, Int>(repeating: 0)
  /// IDs in use, from 0, of each ordered pair of ends.
  private(set) var identifiers = InlineArray<49, Int>(repeating: 0)
  /// Waits in the list.
  private(set) var waits = 0
  /// Whether some micro-op carries a unit flag.
  private(set) var hasUnitFlags = false
  /// Barriers over the cores.
  private(set) var coreBarriers = 0

  init(_ records: UnsafeBufferPointer<OpRecord>, core: Int, of program: Program) throws(NPUError) {
    let works = program.works.count
    let tiles = program.tiles.count
    var allBits: UInt32 = 0
    var wideBarriers = InlineArray<6, Int>(repeating: 0)
    for index in records.indices {
      let record = records.baseAddress.unsafelyUnwrapped + index
      let queue = record.pointee.queue
      let kind = record.pointee.kind
      if !kind.isInSequencer { ops[queue.index] &+= 1 }
      if kind == .data {
        allBits |= record.pointee.accessBits
        let bits = record.pointee.accessBits & 0xFF_FFFF
        // The highest tile that any operand names; few micro-ops have more than four.
        var highest: UInt32 = 0
        for k in 0..<4 { highest = max(highest, Self.tile(record, k, bits)) }
        if bits >> 16 != 0 {
          for k in 4..<OpRecord.maximumOperands {
            highest = max(highest, Self.tile(record, k, bits))
          }
        }
        if Int(record.pointee.work) < works && (bits == 0 || Int(highest) < tiles) { continue }
        throw Self.broken(core, index, "names work or tiles outside its tables")
      }
      if kind.isOfEvent {
        let event = record.pointee.event
        let isSet = kind.isSet
        guard (isSet ? event.source : event.target) == record.pointee.end,
          event.source != event.target
        else {
          throw Self.broken(core, index, "sets or waits for an event of other queues")
        }
        identifiers[event.pair] = max(identifiers[event.pair], Int(event.id) &+ 1)
        if !isSet { waits &+= 1 }
      } else if kind.isBetweenCores {
        if kind == .coreWait { waits &+= 1 }
      } else if kind != .barrierQueue {
        wideBarriers[queue.index] &+= 1
        if kind == .barrierCores { coreBarriers &+= 1 }
      }
    }
    hasUnitFlags = allBits >> 31 != 0
    for queue in 0..<Queue.count {
      for other in 0..<Queue.count where other != queue { ops[queue] += wideBarriers[other] }
    }
  }

  /// The tile that an operand names, 0 where it is an immediate.
  @inline(__always)
  private static func tile(_ record: UnsafePointer<OpRecord>, _ k: Int, _ bits: UInt32) -> UInt32 {
    bits >> UInt32(truncatingIfNeeded: 4 &* k) & 15 != 0 ? record.pointee.words[k] : 0
  }

  private static func broken(_ core: Int, _ op: Int, _ what: String) -> NPUError {
    NPUError(
      .program, "micro-op #\(op) of core \(core) \(what)",
      hint: "build programs with ProgramBuilder")
  }
}
