/// What a core's list holds, counted before time starts; a broken list is refused here.
struct CoreCensus {
  /// Micro-ops of each queue; barriers on all count on every one.
  var ops = [Int](repeating: 0, count: Queue.count)
  /// IDs in use, from 0, of each ordered pair of queues.
  var identifiers = [Int](repeating: 0, count: Queue.count * Queue.count)
  /// Waits in the list.
  var waits = 0
  /// Barriers over the cores.
  var coreBarriers = 0

  init(_ records: UnsafeBufferPointer<OpRecord>, core: Int, of program: Program) throws(NPUError) {
    let works = program.works.count
    let tiles = program.tiles.count
    for index in records.indices {
      let record = records.baseAddress.unsafelyUnwrapped + index
      let queue = record.pointee.queue
      switch record.pointee.kind {
      case .data:
        var isSound = Int(record.pointee.work) < works
        var bits = record.pointee.accessBits & 0xFF_FFFF
        while bits != 0 {
          let k = bits.trailingZeroBitCount >> 2
          bits &= ~(15 << UInt32(4 * k))
          if Int(record.pointee.words[k]) >= tiles { isSound = false }
        }
        guard isSound else {
          throw Self.broken(core, index, "names work or tiles outside its tables")
        }
      case .set, .wait:
        let event = record.pointee.event
        let owner = record.pointee.kind == .set ? event.source : event.target
        guard owner == queue, event.source != event.target else {
          throw Self.broken(core, index, "sets or waits for an event of other queues")
        }
        identifiers[event.pair] = max(identifiers[event.pair], Int(event.id) + 1)
        if record.pointee.kind == .wait { waits += 1 }
      case .barrierQueue:
        break
      case .barrierAll, .barrierCores:
        for q in 0..<Queue.count where q != queue.index { ops[q] += 1 }
        if record.pointee.kind == .barrierCores { coreBarriers += 1 }
      }
      ops[queue.index] += 1
    }
  }

  private static func broken(_ core: Int, _ op: Int, _ what: String) -> NPUError {
    NPUError(
      .program, "micro-op #\(op) of core \(core) \(what)",
      hint: "build programs with ProgramBuilder")
  }
}
