import NPUSim

/// One slip in a program, of the kinds that people make.
struct ProgramMutation: Sendable, CustomStringConvertible {
  enum Kind: String, CaseIterable, Sendable {
    /// A set and its wait are gone.
    case deletedEvent
    /// A wait stands behind the next micro-op of its queue.
    case lateWait
    /// One operand takes the other slot of its ring.
    case otherSlot
    /// A buffer is one row shorter.
    case shorterBuffer
    /// A barrier is gone.
    case droppedBarrier
    /// An event takes the ID of another one between its queues.
    case reusedIdentifier
  }

  var kind: Kind
  var core: Int
  /// What the mutation acts on: micro-ops of the core, or a buffer.
  var places: [Int]
  /// The operand, for a slot; the ID, for an event.
  var detail = 0

  var description: String { "\(kind.rawValue) on core \(core) at \(places) (\(detail))" }

  /// Every mutation of a program.
  static func all(of program: Program) -> [ProgramMutation] {
    var result: [ProgramMutation] = []
    for pair in program.eventPairs {
      result.append(
        ProgramMutation(kind: .deletedEvent, core: pair.core, places: [pair.set, pair.wait]))
      result.append(ProgramMutation(kind: .lateWait, core: pair.core, places: [pair.wait]))
    }
    for core in program.cores.indices {
      result += identifiers(program, core) + slots(program, core) + barriers(program, core)
    }
    for (index, buffer) in program.buffers.enumerated() where buffer.rows > 1 {
      result.append(ProgramMutation(kind: .shorterBuffer, core: 0, places: [index]))
    }
    return result
  }

  private static func identifiers(_ program: Program, _ core: Int) -> [ProgramMutation] {
    var used: [Int: Set<UInt16>] = [:]
    for record in program.cores[core] where record.kind == .set {
      used[record.event.pair, default: []].insert(record.event.id)
    }
    return program.eventPairs.filter { $0.core == core }.compactMap { pair in
      let others = (used[pair.event.pair] ?? []).subtracting([pair.event.id])
      guard let other = others.min() else { return nil }
      return ProgramMutation(
        kind: .reusedIdentifier, core: core, places: [pair.set, pair.wait], detail: Int(other))
    }
  }

  private static func slots(_ program: Program, _ core: Int) -> [ProgramMutation] {
    program.cores[core].enumerated().flatMap { op, record -> [ProgramMutation] in
      (0..<Int(record.operandCount)).compactMap { k in
        guard !record.access(k).isEmpty else { return nil }
        let tile = program.tiles[Int(record.words[k])]
        guard tile.space.isOnChip, program.buffers[Int(tile.buffer)].slots > 1 else { return nil }
        return ProgramMutation(kind: .otherSlot, core: core, places: [op], detail: k)
      }
    }
  }

  private static func barriers(_ program: Program, _ core: Int) -> [ProgramMutation] {
    program.cores[core].indices.compactMap { op in
      switch program.cores[core][op].kind {
      case .barrierQueue, .barrierAll, .barrierCores:
        ProgramMutation(kind: .droppedBarrier, core: core, places: [op])
      default: nil
      }
    }
  }

  /// The program with the slip; `nil` where it has no place to go.
  func apply(to program: Program) -> Program? {
    switch kind {
    case .deletedEvent, .droppedBarrier:
      return program.applying([.remove(core: core, ops: places)])
    case .lateWait:
      let records = program.cores[core]
      guard
        let next = records.indices.dropFirst(places[0] + 1).first(where: {
          records[$0].kind == .data && records[$0].queue == records[places[0]].queue
        })
      else { return nil }
      var result = program.applying([.remove(core: core, ops: places)])
      // One further down, less the one that left; taps behind it shift back.
      result.cores[core].insert(records[places[0]], at: next)
      for index in result.taps.indices
      where result.taps[index].core == core && result.taps[index].op >= next {
        result.taps[index].op += 1
      }
      return result
    case .otherSlot:
      var result = program
      var record = program.cores[core][places[0]]
      var tile = program.tiles[Int(record.words[detail])]
      let slots = program.buffers[Int(tile.buffer)].slots
      tile.slot = (tile.slot + 1) % Int32(slots)
      record.words[detail] = UInt32(result.tiles.count)
      result.tiles.append(tile)
      result.cores[core][places[0]] = record
      return result
    case .shorterBuffer:
      var result = program
      result.buffers[places[0]].rows -= 1
      return result
    case .reusedIdentifier:
      var result = program
      for place in places {
        var record = result.cores[core][place]
        let event = record.event
        record.words[0] =
          Event(source: event.source, target: event.target, id: UInt16(detail)).packed
        result.cores[core][place] = record
      }
      return result
    }
  }
}
