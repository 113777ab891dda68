extension CoreStream {
  /// Records with events in place of tokens.
  struct Lowered {
    var records: [OpRecord]
    /// Where each emitted record ended up.
    var positions: [UInt32]
    var defects: [ProgramDefect]
  }

  /// Turns tokens into set/wait events, each right after its producer and right before its consumer.
  ///
  /// A token says what a micro-op may rely on; an event is made where it has to: before the first
  /// micro-op of the queue that shares a byte with one that the tokens so far order, from the last such
  /// one on. What another edge already implies makes none: the edges into a micro-op are taken latest
  /// first, and one is dropped when the vector clock of the consumer's queue covers it. What is left
  /// is the transitive reduction of what conflicts need; an edge of it between queues that have no
  /// events is a defect (S007). Between one pair of queues such edges never
  /// cross, so matching the k-th set with the k-th wait is right by itself; an ID is reused when the
  /// producer's queue is known to be past the wait that emptied it.
  ///
  /// On a queue that does not interlock, a barrier is placed before a micro-op that touches what an
  /// earlier one of the queue wrote, unless that is known to be visible.
  func lower(
    machine: MachineConfiguration, layout: TileLayout, overlaps: TileOverlap, tiles: [TileRef]
  ) -> Lowered {
    if hasExplicitEvents {
      var all = defects
      if !dependencies.isEmpty {
        all.append(
          ProgramDefect(
            code: .S001, message: "explicit events and tokens are mixed in one program", core: 0,
            fix: "order the whole program with one of the two"))
      }
      return Lowered(
        records: records, positions: records.indices.map { UInt32($0) }, defects: all)
    }
    var reduction = EdgeReduction(
      stream: self, machine: machine, layout: layout, overlaps: overlaps, tiles: tiles)
    reduction.run()
    if reduction.lacksEvents {
      // Events that order no bytes may still tell a queue that an ID is free again, or lead over
      // another queue where the machine has no pair.
      var every = EdgeReduction(
        stream: self, machine: machine, layout: layout, overlaps: overlaps, tiles: tiles,
        keepsEvery: true)
      every.run()
      if !every.lacksEvents { reduction = every }
    }
    return reduction.weave(into: self, base: defects)
  }
}

/// A vector clock: for each queue, how many of its micro-ops are known to be visible.
typealias QueueClock = InlineArray<6, UInt32>

extension InlineArray where Element == UInt32, count == 6 {
  /// Learns what `other` knows.
  @inline(__always) mutating func join(_ other: QueueClock) {
    for k in 0..<6 { self[k] = Swift.max(self[k], other[k]) }
  }
}

/// Finds the events that a stream of micro-ops with tokens needs.
private struct EdgeReduction: ~Copyable {
  private struct Edge {
    var producer: UInt32
    var consumer: UInt32
    var event: Event
  }

  private let stream: CoreStream
  private let machine: MachineConfiguration
  private let layout: TileLayout
  private let tiles: [TileRef]
  private var edges: [Edge] = []
  private var barriers: [UInt32] = []
  /// Micro-ops before which a barrier on all queues is placed.
  private var fences: [UInt32] = []
  private var defects: [ProgramDefect] = []
  /// The pairs of queues that took more IDs than the machine has, and the first consumer without one.
  private var shortages: [(pair: Int, consumer: Int)] = []
  /// The pairs of queues that would need events and have none on the machine, with the first consumer
  /// and how many edges there are.
  private var missing: [Int: (consumer: Int, count: Int)] = [:]
  /// What a queue knows, and what it may rely on, which is never less.
  private struct Knowledge {
    var known = QueueClock(repeating: 0)
    var permitted = QueueClock(repeating: 0)

    /// Learns what a set passes on.
    @inline(__always) mutating func join(_ other: borrowing Knowledge) {
      known.join(other.known)
      permitted.join(other.permitted)
    }
  }

  /// The knowledge of each queue before its next micro-op.
  private let queues: UnsafeMutablePointer<Knowledge>
  /// For each micro-op so far, the knowledge that a set right after it would pass on. Behind pointers,
  /// as each micro-op reads and writes several of them.
  private let passed: UnsafeMutablePointer<Knowledge>
  /// Whether every token that is not implied becomes an event.
  private let keepsEvery: Bool
  private var touched: ConflictIndex
  private let overlaps: TileOverlap
  /// Position of a micro-op in its queue.
  private let places: UnsafeMutablePointer<UInt32>
  private var counts = QueueClock(repeating: 0)
  /// Queues with a micro-op on data.
  private var isUsed = InlineArray<6, Bool>(repeating: false)
  /// For each pair of queues and ID: 1 + the place of the consumer of its last wait.
  private var lastWaits = [[UInt32]](repeating: [], count: Queue.count * Queue.count)
  /// Writes of each queue without interlock that are not yet known to be visible.
  private var unseenWrites = [[(place: UInt32, tile: UInt32, padded: Bool, forwards: Bool)]](
    repeating: [], count: Queue.count)

  /// Writes to HBM since the last barrier on all queues, on a machine that needs one before they are
  /// read.
  private var unfencedWrites: [(tile: UInt32, padded: Bool)] = []

  /// Whether some pair of queues took more IDs than the machine has, or events that it has not.
  var lacksEvents: Bool { !shortages.isEmpty || !missing.isEmpty }

  init(
    stream: CoreStream, machine: MachineConfiguration, layout: TileLayout, overlaps: TileOverlap,
    tiles: [TileRef], keepsEvery: Bool = false
  ) {
    self.keepsEvery = keepsEvery
    touched = ConflictIndex(layout: layout, tiles: tiles, overlaps: overlaps)
    self.overlaps = overlaps
    self.stream = stream
    self.machine = machine
    self.layout = layout
    self.tiles = tiles
    queues = .allocate(capacity: Queue.count)
    queues.initialize(repeating: Knowledge(), count: Queue.count)
    // Both are written before they are read: a token names an earlier micro-op.
    passed = .allocate(capacity: max(1, stream.records.count))
    places = .allocate(capacity: max(1, stream.records.count))
    for record in stream.records where record.kind == .data { isUsed[record.queue.index] = true }
  }

  deinit {
    queues.deallocate()
    passed.deallocate()
    places.deallocate()
  }

  mutating func run() {
    var candidates: [UInt32] = []
    for index in stream.records.indices {
      let record = stream.records[index]
      let queue = record.queue.index
      switch record.kind {
      case .data:
        candidates.removeAll(keepingCapacity: true)
        let first = index == 0 ? 0 : Int(stream.ends[index - 1])
        for k in first..<Int(stream.ends[index]) where stream.dependencies[k] < index {
          let producer = stream.dependencies[k]
          queues[queue].permitted.join(passed[Int(producer)].permitted)
          if keepsEvery { candidates.append(producer) }
        }
        if readsUnfenced(record) {
          fences.append(UInt32(index))
          joinAll()
        }
        if !keepsEvery { findNeeded(by: record, &candidates) }
        if candidates.count > 1 { candidates.sort(by: >) }
        for producer in candidates { depend(index, on: Int(producer)) }
        if !machine.interlocks(record.queue) { keepOrderInQueue(index, record) }
        if machine.hbm.readAfterWrite == .fence { unfencedWrites += tilesInHBM(record, .write) }
      case .barrierQueue:
        queues[queue].known[queue] = counts[queue]
      case .barrierAll, .barrierCores:
        joinAll()
      case .set, .wait, .sequencerSet, .sequencerWait, .coreSet, .coreWait:
        break
      }
      (places + index).initialize(to: counts[queue])
      if record.kind == .data {
        if !keepsEvery { touched.add(record, op: index, place: counts[queue]) }
        counts[queue] += 1
      }
      var after = queues[queue]
      after.known[queue] = counts[queue]
      after.permitted[queue] = counts[queue]
      (passed + index).initialize(to: after)
      if index % Self.forgetInterval == Self.forgetInterval - 1 { forget() }
    }
    // The events are all that is asked for from now on.
    touched.forgetAll()
    for shortage in shortages { report(shortage.pair, first: shortage.consumer) }
    for (pair, edges) in missing.sorted(by: { $0.value.consumer < $1.value.consumer }) {
      let (source, target) = (pair / Queue.count, pair % Queue.count)
      defects.append(
        EventDetour(
          machine, from: .queue(Queue.allCases[source]), to: .queue(Queue.allCases[target])
        )
        .defect(op: edges.consumer, folded: edges.count - 1))
    }
  }

  /// Says that a pair of queues is short of IDs, and how many would do.
  private mutating func report(_ pair: Int, first consumer: Int) {
    guard let limit = machine.eventsPerPair else { return }
    let (source, target) = (pair / Queue.count, pair % Queue.count)
    let needed = lastWaits[pair].count
    defects.append(
      ProgramDefect(
        code: .S006,
        message: "\(Queue.allCases[source].name) to \(Queue.allCases[target].name) needs "
          + "\(needed) event IDs at once, and the machine has \(limit)",
        core: 0, op: consumer, neededEvents: needed,
        fix: "use rings whose depths between these two queues sum to at most \(limit)"))
  }

  // MARK: Fences

  /// Everything so far is visible to every queue.
  private mutating func joinAll() {
    for q in 0..<Queue.count { queues[q] = Knowledge(known: counts, permitted: counts) }
    unfencedWrites.removeAll(keepingCapacity: true)
  }

  /// The tiles in HBM that a record reads or writes, and whether their last block is filled up.
  private func tilesInHBM(_ record: OpRecord, _ access: Access) -> [(tile: UInt32, padded: Bool)] {
    (0..<Int(record.operandCount)).compactMap { k in
      guard record.access(k).contains(access), tiles[Int(record.words[k])].space == .hbm else {
        return nil
      }
      return (record.words[k], access == .write && record.access(k).contains(.zeroFill))
    }
  }

  /// Whether a record reads HBM bytes that the core wrote behind no barrier on all queues, on a
  /// machine that needs one.
  private func readsUnfenced(_ record: OpRecord) -> Bool {
    if unfencedWrites.isEmpty { return false }
    return tilesInHBM(record, .read).contains { read in
      unfencedWrites.contains { write in
        overlap(read.tile, padded: false, write.tile, padded: write.padded)
      }
    }
  }

  private func overlap(_ a: UInt32, padded aPadded: Bool, _ b: UInt32, padded bPadded: Bool) -> Bool
  {
    let (x, y) = (tiles[Int(a)], tiles[Int(b)])
    let verdict = overlaps.judge(x, y)
    if verdict == .apart || !layout.contains(x) || !layout.contains(y) { return false }
    return verdict == .shared || layout.overlap(x, padded: aPadded, y, padded: bPadded)
  }

  /// Micro-ops after which accesses that every queue knows are dropped.
  private static let forgetInterval = 4096

  /// Drops the accesses that every other queue knows to be visible: none of them needs an event.
  private mutating func forget() {
    for source in 0..<Queue.count {
      var known = UInt32.max
      for target in 0..<Queue.count where target != source && isUsed[target] {
        known = min(known, queues[target].known[source])
      }
      touched.forget(source, before: known)
    }
  }

  /// Finds for each other queue the last micro-op that shares a byte with a record, among those that
  /// it may rely on and does not know yet.
  private func findNeeded(by record: OpRecord, _ result: inout [UInt32]) {
    let target = record.queue.index
    for source in 0..<Queue.count where source != target {
      let known = queues[target].known[source]
      let permitted = queues[target].permitted[source]
      if known < permitted,
        let op = touched.last(of: source, conflictingWith: record, in: known..<permitted)
      {
        result.append(op)
      }
    }
  }

  /// Orders `consumer` after `producer` is visible, unless that is known already.
  private mutating func depend(_ consumer: Int, on producer: Int) {
    let source = stream.records[producer].queue
    let target = stream.records[consumer].queue
    if source == target { return }
    if queues[target.index].known[source.index] > places[producer] { return }
    let pair = source.index * Queue.count + target.index
    if !machine.allEventPairs.contains(.queue(source), .queue(target)) {
      missing[pair, default: (consumer, 0)].count += 1
    }
    let place = counts[target.index] + 1
    // An ID is free when the producer's queue knows the consumer of its last wait.
    let known = passed[producer].known[target.index]
    var id = lastWaits[pair].firstIndex { $0 <= known }
    if id == nil {
      id = lastWaits[pair].count
      lastWaits[pair].append(0)
      if let limit = machine.eventsPerPair, lastWaits[pair].count == limit + 1 {
        shortages.append((pair, consumer))
      }
    }
    let chosen = id ?? 0
    lastWaits[pair][chosen] = place
    edges.append(
      Edge(
        producer: UInt32(producer), consumer: UInt32(consumer),
        event: Event(from: source, to: target, id: UInt16(clamping: chosen))))
    queues[target.index].join(passed[producer])
  }

  /// Places a barrier where a queue without interlock would touch a result too early.
  private mutating func keepOrderInQueue(_ index: Int, _ record: OpRecord) {
    let queue = record.queue.index
    let visible = queues[queue].known[queue]
    unseenWrites[queue].removeAll { $0.place < visible }
    if touchesUnseen(record) {
      barriers.append(UInt32(index))
      queues[queue].known[queue] = counts[queue]
      unseenWrites[queue].removeAll(keepingCapacity: true)
    }
    for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
      unseenWrites[queue].append(
        (
          counts[queue], record.words[k], record.access(k).contains(.zeroFill),
          record.forwardsResults
        ))
    }
  }

  private func touchesUnseen(_ record: OpRecord) -> Bool {
    for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
      let access = record.access(k)
      for write in unseenWrites[record.queue.index] {
        if access.contains(.forward) && write.forwards && write.tile == record.words[k] { continue }
        if overlap(
          record.words[k], padded: access.contains(.zeroFill), write.tile, padded: write.padded)
        {
          return true
        }
      }
    }
    return false
  }

  /// The edges, which are in the order of their consumers, in the order of their producers.
  private func edgesByProducer(_ count: Int) -> [UInt32] {
    var next = [UInt32](repeating: 0, count: count + 1)
    for edge in edges { next[Int(edge.producer) + 1] += 1 }
    for producer in 0..<count { next[producer + 1] += next[producer] }
    var result = [UInt32](repeating: 0, count: edges.count)
    for (index, edge) in edges.enumerated() {
      let producer = Int(edge.producer)
      result[Int(next[producer])] = UInt32(index)
      next[producer] += 1
    }
    return result
  }

  /// The records with sets right after their producers, and waits and barriers before consumers.
  consuming func weave(into stream: CoreStream, base: [ProgramDefect]) -> CoreStream.Lowered {
    var records: [OpRecord] = []
    records.reserveCapacity(
      stream.records.count + 2 * edges.count + barriers.count + fences.count)
    var positions: [UInt32] = []
    positions.reserveCapacity(stream.records.count)
    let sets = edgesByProducer(stream.records.count)
    var nextSet = 0
    var nextWait = 0
    var nextBarrier = 0
    var nextFence = 0
    for index in stream.records.indices {
      let record = stream.records[index]
      if nextFence < fences.count && Int(fences[nextFence]) == index {
        records.append(.fence(scope: record.scope))
        nextFence += 1
      }
      while nextWait < edges.count && Int(edges[nextWait].consumer) == index {
        records.append(.synchronise(edges[nextWait].event, .wait, scope: record.scope))
        nextWait += 1
      }
      if nextBarrier < barriers.count && Int(barriers[nextBarrier]) == index {
        records.append(.barrier(record.queue, scope: record.scope))
        nextBarrier += 1
      }
      positions.append(UInt32(records.count))
      records.append(record)
      while nextSet < sets.count && Int(edges[Int(sets[nextSet])].producer) == index {
        records.append(.synchronise(edges[Int(sets[nextSet])].event, .set, scope: record.scope))
        nextSet += 1
      }
    }
    return CoreStream.Lowered(records: records, positions: positions, defects: base + defects)
  }
}
