/// A vector clock: for each queue, how many of its micro-ops are known to be visible.
typealias QueueClock = InlineArray<6, UInt32>

extension InlineArray where Element == UInt32, count == 6 {
  /// Learns what `other` knows.
  @inline(__always) mutating func join(_ other: QueueClock) {
    for k in 0..<6 { self[k] = Swift.max(self[k], other[k]) }
  }
}

/// Finds the events and barriers that micro-ops need which are written one after another.
struct EdgeReduction: ~Copyable {
  private struct Edge {
    var producer: UInt32
    var consumer: UInt32
    var event: Event
  }

  /// That a producer waits for an earlier event to have come, so that its ID is free.
  struct Acknowledgement {
    /// The micro-op that waits, and sets an event afterwards.
    var producer: UInt32
    /// An earlier consumer of an event of the same pair of queues.
    var consumer: UInt32
    /// The pair, and the events that are on their way behind the producer, its own among them.
    var pair: Int
    var onTheirWay: Int
  }

  private let stream: CoreStream
  private let machine: MachineConfiguration
  private let layout: TileLayout
  private let tiles: [TileRef]
  private let overlaps: TileOverlap
  private var edges: [Edge] = []
  private var barriers: [UInt32] = []
  /// Micro-ops before which a barrier on all queues is placed.
  private var fences: [UInt32] = []
  /// What each queue knows before its next micro-op.
  private let queues: UnsafeMutablePointer<QueueClock>
  /// For each micro-op so far, what a set right after it would pass on. Behind pointers, as each
  /// micro-op reads and writes several of them.
  private let passed: UnsafeMutablePointer<QueueClock>
  private var touched: ConflictIndex
  /// Position of a micro-op in its queue.
  private let places: UnsafeMutablePointer<UInt32>
  private var counts = QueueClock(repeating: 0)
  /// The micro-ops of each queue, where IDs are limited.
  private var members = [[UInt32]](repeating: [], count: Queue.count)
  /// Queues with a micro-op on data.
  private var isUsed = InlineArray<6, Bool>(repeating: false)
  /// For each pair of queues and ID: 1 + the place of the consumer of its last wait.
  private var lastWaits = [[UInt32]](repeating: [], count: Queue.count * Queue.count)
  /// The most IDs that a pair of queues may take; `nil` where as many are taken as are asked for.
  private let limit: Int?
  /// In the order of their producers.
  private let acknowledgements: [Acknowledgement]
  private var nextAcknowledgement = 0
  /// Writes of each queue without interlock that are not yet known to be visible.
  private var unseenWrites = [[(place: UInt32, tile: UInt32, padded: Bool, forwards: Bool)]](
    repeating: [], count: Queue.count)
  /// Writes to HBM since the last barrier on all queues, on a machine that needs one before they are
  /// read.
  private var unfencedWrites: [(tile: UInt32, padded: Bool)] = []

  /// The IDs of the pair of queues that took the most.
  var mostIdentifiers: Int { lastWaits.reduce(0) { max($0, $1.count) } }

  init(
    stream: CoreStream, machine: MachineConfiguration, layout: TileLayout, overlaps: TileOverlap,
    tiles: [TileRef], limit: Int? = nil, acknowledgements: [Acknowledgement] = []
  ) {
    touched = ConflictIndex(layout: layout, tiles: tiles, overlaps: overlaps)
    self.overlaps = overlaps
    self.stream = stream
    self.machine = machine
    self.layout = layout
    self.tiles = tiles
    self.limit = limit
    self.acknowledgements = acknowledgements
    queues = .allocate(capacity: Queue.count)
    queues.initialize(repeating: QueueClock(repeating: 0), count: Queue.count)
    // Both are written before they are read: an edge leads to an earlier micro-op.
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
    var producers: [UInt32] = []
    for index in stream.records.indices {
      let record = stream.records[index]
      let queue = record.queue.index
      switch record.kind {
      case .data:
        if readsUnfenced(record) { fence(before: index) }
        producers.removeAll(keepingCapacity: true)
        findNeeded(by: record, &producers)
        takeAcknowledgements(of: index, &producers)
        if producers.count > 1 { producers.sort(by: >) }
        for producer in producers { depend(index, on: Int(producer)) }
        if !machine.interlocks(record.queue) { keepOrderInQueue(index, record) }
        if machine.hbm.readAfterWrite == .fence { unfencedWrites += tilesInHBM(record, .write) }
      case .barrierQueue:
        queues[queue][queue] = counts[queue]
      case .barrierAll, .barrierCores:
        joinAll()
      case .set, .wait, .sequencerSet, .sequencerWait, .coreSet, .coreWait:
        break
      }
      (places + index).initialize(to: counts[queue])
      if record.kind == .data {
        touched.add(record, op: index, place: counts[queue])
        if limit != nil { members[queue].append(UInt32(index)) }
        counts[queue] += 1
      }
      var after = queues[queue]
      after[queue] = counts[queue]
      (passed + index).initialize(to: after)
      if index % Self.forgetInterval == Self.forgetInterval - 1 { forget() }
    }
    // The events are all that is asked for from now on.
    touched.forgetAll()
  }

  // MARK: Events

  /// Finds for each other queue the last micro-op that conflicts with a record, among those that are
  /// not known to be visible.
  private func findNeeded(by record: OpRecord, _ result: inout [UInt32]) {
    let target = record.queue.index
    for source in 0..<Queue.count where source != target {
      let known = queues[target][source]
      if known < counts[source],
        let op = touched.last(of: source, conflictingWith: record, in: known..<counts[source])
      {
        result.append(op)
      }
    }
  }

  private mutating func takeAcknowledgements(of index: Int, _ result: inout [UInt32]) {
    while nextAcknowledgement < acknowledgements.count,
      Int(acknowledgements[nextAcknowledgement].producer) == index
    {
      let acknowledgement = acknowledgements[nextAcknowledgement]
      nextAcknowledgement += 1
      if isShort(acknowledgement, behind: result) { result.append(acknowledgement.consumer) }
    }
  }

  /// Whether a producer needs an acknowledgement: what it knows behind those that it waits for anyway
  /// may free enough IDs.
  private func isShort(_ acknowledgement: Acknowledgement, behind others: [UInt32]) -> Bool {
    guard let limit else { return false }
    let queue = stream.records[Int(acknowledgement.producer)].queue.index
    let target = acknowledgement.pair % Queue.count
    let known = others.reduce(queues[queue][target]) { max($0, passed[Int($1)][target]) }
    let taken = lastWaits[acknowledgement.pair].count { $0 > known }
    return taken + acknowledgement.onTheirWay > limit
  }

  /// Orders `consumer` after `producer` is visible, unless that is known already.
  private mutating func depend(_ consumer: Int, on producer: Int) {
    let source = stream.records[producer].queue
    let target = stream.records[consumer].queue
    if source == target { return }
    if queues[target.index][source.index] > places[producer] { return }
    guard machine.allEventPairs.contains(.queue(source), .queue(target)),
      let event = takeEvent(from: source, behind: producer, to: target)
    else { return fence(before: consumer) }
    edges.append(
      Edge(
        producer: event.producer, consumer: UInt32(consumer),
        event: Event(from: source, to: target, id: UInt16(clamping: event.id))))
    queues[target.index].join(passed[Int(event.producer)])
  }

  /// Takes the lowest ID that is free behind a micro-op, or behind the first later one of its queue
  /// behind which one is; `nil` where all are taken as far as anybody knows.
  ///
  /// An ID is free when the producer's queue knows the consumer of its last wait.
  private mutating func takeEvent(
    from source: Queue, behind producer: Int, to target: Queue
  ) -> (producer: UInt32, id: Int)? {
    let pair = source.index * Queue.count + target.index
    let place = counts[target.index] + 1
    if let id = freeIdentifier(of: pair, behind: producer, to: target.index) {
      lastWaits[pair][id] = place
      return (UInt32(producer), id)
    }
    guard let limit, lastWaits[pair].count >= limit else {
      lastWaits[pair].append(place)
      return (UInt32(producer), lastWaits[pair].count - 1)
    }
    // A queue never forgets: those behind which an ID is free are the last ones.
    let own = members[source.index]
    var (low, high) = (Int(places[producer]) + 1, own.count)
    while low < high {
      let middle = (low + high) / 2
      if freeIdentifier(of: pair, behind: Int(own[middle]), to: target.index) == nil {
        low = middle + 1
      } else {
        high = middle
      }
    }
    guard low < own.count,
      let id = freeIdentifier(of: pair, behind: Int(own[low]), to: target.index)
    else { return nil }
    lastWaits[pair][id] = place
    return (own[low], id)
  }

  private func freeIdentifier(of pair: Int, behind producer: Int, to target: Int) -> Int? {
    let known = passed[producer][target]
    return lastWaits[pair].firstIndex { $0 <= known }
  }

  /// Which producers have to wait for earlier events of their pair to have come, so that no pair needs
  /// more IDs than `limit`; in the order of the producers.
  ///
  /// A producer hears of about half of the events that may be on their way, so that it waits for one
  /// in `limit / 2` sets and never for the last ones. Where the first of them is waited for only
  /// behind the producer, nothing that the producer could wait for would help.
  consuming func acknowledgements(limit: Int) -> [Acknowledgement] {
    var byPair = [[Edge]](repeating: [], count: lastWaits.count)
    for edge in edges {
      let pair = edge.event.source.index * Queue.count + edge.event.target.index
      if lastWaits[pair].count > limit { byPair[pair].append(edge) }
    }
    var result: [Acknowledgement] = []
    for (pair, own) in byPair.enumerated() {
      // The first so many events have come, as the producer knows, or are waited for before it.
      var (heard, consumed) = (0, 0)
      for (number, edge) in own.enumerated() {
        let known = passed[Int(edge.producer)][edge.event.target.index]
        while heard < number, places[Int(own[heard].consumer)] < known { heard += 1 }
        while consumed < number, own[consumed].consumer < edge.producer { consumed += 1 }
        let oldest = number - limit
        guard heard <= oldest, oldest < consumed else { continue }
        let last = min(oldest + limit / 2, consumed - 1)
        result.append(
          Acknowledgement(
            producer: edge.producer, consumer: own[last].consumer, pair: pair,
            onTheirWay: number + 1 - consumed))
        heard = last + 1
      }
    }
    return result.sorted { ($0.producer, $0.consumer) < ($1.producer, $1.consumer) }
  }

  // MARK: Barriers

  /// Places a barrier on all queues before a micro-op.
  private mutating func fence(before index: Int) {
    if fences.last != UInt32(index) { fences.append(UInt32(index)) }
    joinAll()
  }

  /// Everything so far is visible to every queue.
  private mutating func joinAll() {
    for q in 0..<Queue.count { queues[q] = counts }
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
        known = min(known, queues[target][source])
      }
      touched.forget(source, before: known)
    }
  }

  /// Places a barrier where a queue without interlock would touch a result too early.
  private mutating func keepOrderInQueue(_ index: Int, _ record: OpRecord) {
    let queue = record.queue.index
    let visible = queues[queue][queue]
    unseenWrites[queue].removeAll { $0.place < visible }
    if touchesUnseen(record) {
      barriers.append(UInt32(index))
      queues[queue][queue] = counts[queue]
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
  consuming func weave(into stream: CoreStream) -> CoreStream.Lowered {
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
    return CoreStream.Lowered(records: records, positions: positions)
  }
}
