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

  /// What is known of a micro-op that has its place.
  private struct Mark {
    /// What a set right after it would pass on.
    var passed: QueueClock
    /// Its position in its queue.
    var place: UInt32
    var queue: Queue
  }

  private let records: [OpRecord]
  /// The places of the micro-ops in the order of dispatch; `nil` for the written one. Micro-ops go by
  /// their numbers in this order.
  private let order: [UInt32]?
  /// The inverse of `order`.
  private var numbers: [UInt32]
  private let graph: ConflictGraph
  private let machine: MachineConfiguration
  private var edges: [Edge] = []
  private var barriers: [UInt32] = []
  /// Micro-ops before which a barrier on all queues is placed.
  private var fences: [UInt32] = []
  /// What each queue knows before its next micro-op.
  private let queues: UnsafeMutablePointer<QueueClock>
  /// By micro-op. Behind a pointer, as each micro-op reads several and writes one.
  private let marks: UnsafeMutablePointer<Mark>
  /// By join: 1 + the last micro-op that meets there; 0 where that was not asked for.
  private var joined: [UInt32]
  private var counts = QueueClock(repeating: 0)
  /// The micro-ops of each queue, where IDs are limited.
  private var members = [[UInt32]](repeating: [], count: Queue.count)
  /// By pair of queues.
  private var identifiers = [EventIdentifiers](
    repeating: EventIdentifiers(), count: Queue.count * Queue.count)
  /// The most IDs that a pair of queues may take; `nil` where as many are taken as are asked for.
  private let limit: Int?
  /// In the order of their producers.
  private let acknowledgements: [Acknowledgement]
  private var nextAcknowledgement = 0
  /// The micro-ops before the last barrier on all queues.
  private var fenced = 0

  /// The IDs of the pair of queues that took the most.
  var mostIdentifiers: Int { identifiers.reduce(0) { max($0, $1.count) } }

  /// - Parameters:
  ///   - records: the micro-ops as they were written.
  ///   - graph: their conflicts, without what taps read.
  init(
    _ records: [OpRecord], in order: [UInt32]?, _ graph: ConflictGraph,
    _ machine: MachineConfiguration, limit: Int? = nil, acknowledgements: [Acknowledgement] = []
  ) {
    self.records = records
    self.order = order
    self.graph = graph
    self.machine = machine
    self.limit = limit
    self.acknowledgements = acknowledgements
    numbers = [UInt32](repeating: 0, count: order?.count ?? 0)
    joined = [UInt32](repeating: 0, count: graph.joinQueues.count)
    queues = .allocate(capacity: Queue.count)
    queues.initialize(repeating: QueueClock(repeating: 0), count: Queue.count)
    // They are written before they are read: an edge leads to an earlier micro-op.
    marks = .allocate(capacity: max(1, records.count))
  }

  deinit {
    queues.deallocate()
    marks.deallocate()
  }

  /// Where a micro-op of the order was written.
  @inline(__always) private func written(_ index: Int) -> Int {
    order.map { Int($0[index]) } ?? index
  }

  mutating func run() {
    var producers: [UInt32] = []
    for index in records.indices {
      let op = written(index)
      let (kind, queue) = (records[op].kind, records[op].queue)
      let own = queue.index
      if order != nil { numbers[op] = UInt32(index) }
      switch kind {
      case .data:
        if machine.hbm.readAfterWrite == .fence, readsUnfenced(op) { fence(before: index) }
        producers.removeAll(keepingCapacity: true)
        let awaited = findNeeded(by: op, on: own, &producers)
        takeAcknowledgements(of: index, &producers)
        if producers.count > 1 { producers.sort(by: >) }
        for producer in producers { depend(index, on: queue, from: Int(producer)) }
        if awaited > queues[own][own] && !machine.interlocks(queue) {
          // The queue would touch a result too early.
          barriers.append(UInt32(index))
          queues[own][own] = counts[own]
        }
        let place = counts[own]
        if limit != nil { members[own].append(UInt32(index)) }
        counts[own] += 1
        var passed = queues[own]
        passed[own] = counts[own]
        (marks + index).initialize(to: Mark(passed: passed, place: place, queue: queue))
      case .barrierQueue:
        queues[own][own] = counts[own]
      case .barrierAll, .barrierCores:
        joinAll(before: index)
      case .set, .wait, .sequencerSet, .sequencerWait, .coreSet, .coreWait:
        break
      }
    }
  }

  // MARK: Events

  /// The last micro-op of a node: of a join, of those that meet there.
  @inline(__always)
  private mutating func last(of node: Int) -> Int {
    if node >= graph.opCount { return last(ofJoin: node - graph.opCount) }
    return order == nil ? node : Int(numbers[node])
  }

  private mutating func last(ofJoin join: Int) -> Int {
    if joined[join] == 0 {
      // All of them come before whoever asks.
      let places = graph.places(into: graph.opCount + join)
      joined[join] = places.reduce(0) { result, place in
        max(result, UInt32(last(of: Int(graph.edges[place] & ConflictGraph.nodeMask))) + 1)
      }
    }
    return Int(joined[join]) - 1
  }

  /// Finds for each other queue the last micro-op that one conflicts with, among those that are not
  /// known to be visible. Returns how many micro-ops of its own queue must be visible before it.
  private mutating func findNeeded(
    by op: Int, on target: Int, _ result: inout [UInt32]
  ) -> UInt32 {
    var latest = InlineArray<6, Int>(repeating: -1)
    var awaited: UInt32 = 0
    for entry in graph.places(into: op) {
      let edge = graph.edges[entry]
      let index = last(of: Int(edge & ConflictGraph.nodeMask))
      let (source, place) = (marks[index].queue.index, marks[index].place)
      if source == target {
        if edge & ConflictGraph.waitBit != 0 { awaited = max(awaited, place + 1) }
      } else if place >= queues[target][source] {
        latest[source] = max(latest[source], index)
      }
    }
    for source in 0..<Queue.count where latest[source] >= 0 {
      result.append(UInt32(latest[source]))
    }
    return awaited
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
    let (queue, target) = acknowledgement.pair.quotientAndRemainder(dividingBy: Queue.count)
    let known = others.reduce(queues[queue][target]) { max($0, marks[Int($1)].passed[target]) }
    let taken = identifiers[acknowledgement.pair].takenCount(knowing: known)
    return taken + acknowledgement.onTheirWay > limit
  }

  /// Orders a micro-op of queue `target` after another queue's is visible, unless that is known
  /// already.
  private mutating func depend(_ consumer: Int, on target: Queue, from producer: Int) {
    let source = marks[producer].queue
    if source == target || queues[target.index][source.index] > marks[producer].place { return }
    guard machine.allEventPairs.contains(.queue(source), .queue(target)),
      let event = takeEvent(from: source, behind: producer, to: target)
    else { return fence(before: consumer) }
    edges.append(
      Edge(
        producer: event.producer, consumer: UInt32(consumer),
        event: Event(from: source, to: target, id: UInt16(clamping: event.id))))
    queues[target.index].join(marks[Int(event.producer)].passed)
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
    let known = marks[producer].passed[target.index]
    if let id = identifiers[pair].take(knowing: known, wait: place) {
      return (UInt32(producer), id)
    }
    guard let limit, identifiers[pair].count >= limit else {
      return (UInt32(producer), identifiers[pair].takeAnother(wait: place))
    }
    // A queue never forgets: those behind which an ID is free are the last ones.
    let own = members[source.index]
    var (low, high) = (Int(marks[producer].place) + 1, own.count)
    while low < high {
      let middle = (low + high) / 2
      if identifiers[pair].isAnyFree(knowing: marks[Int(own[middle])].passed[target.index]) {
        high = middle
      } else {
        low = middle + 1
      }
    }
    guard low < own.count,
      let id = identifiers[pair].take(
        knowing: marks[Int(own[low])].passed[target.index], wait: place)
    else { return nil }
    return (own[low], id)
  }

  /// Which producers have to wait for earlier events of their pair to have come, so that no pair needs
  /// more IDs than `limit`; in the order of the producers.
  ///
  /// A producer hears of about half of the events that may be on their way, so that it waits for one
  /// in `limit / 2` sets and never for the last ones. Where the first of them is waited for only
  /// behind the producer, nothing that the producer could wait for would help.
  consuming func acknowledgements(limit: Int) -> [Acknowledgement] {
    var byPair = [[Edge]](repeating: [], count: identifiers.count)
    for edge in edges {
      let pair = edge.event.source.index * Queue.count + edge.event.target.index
      if identifiers[pair].count > limit { byPair[pair].append(edge) }
    }
    var result: [Acknowledgement] = []
    for (pair, own) in byPair.enumerated() {
      // The first so many events have come, as the producer knows, or are waited for before it.
      var (heard, consumed) = (0, 0)
      for (number, edge) in own.enumerated() {
        let known = marks[Int(edge.producer)].passed[edge.event.target.index]
        while heard < number, marks[Int(own[heard].consumer)].place < known { heard += 1 }
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
    joinAll(before: index)
  }

  /// Everything so far is visible to every queue.
  private mutating func joinAll(before index: Int) {
    for q in 0..<Queue.count { queues[q] = counts }
    fenced = index
  }

  /// Whether a micro-op reads HBM bytes that the core wrote behind no barrier on all queues.
  private mutating func readsUnfenced(_ op: Int) -> Bool {
    for entry in graph.places(into: op) where graph.edges[entry] & ConflictGraph.fenceBit != 0 {
      if last(of: Int(graph.edges[entry] & ConflictGraph.nodeMask)) >= fenced { return true }
    }
    return false
  }

  // MARK: The result

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
  consuming func weave() -> CoreStream.Lowered {
    var result: [OpRecord] = []
    result.reserveCapacity(records.count + 2 * edges.count + barriers.count + fences.count)
    var positions = [UInt32](repeating: 0, count: records.count)
    let sets = edgesByProducer(records.count)
    var nextSet = 0
    var nextWait = 0
    var nextBarrier = 0
    var nextFence = 0
    for index in records.indices {
      let op = written(index)
      let record = records[op]
      if nextFence < fences.count && Int(fences[nextFence]) == index {
        result.append(.fence(scope: record.scope))
        nextFence += 1
      }
      while nextWait < edges.count && Int(edges[nextWait].consumer) == index {
        result.append(.synchronise(edges[nextWait].event, .wait, scope: record.scope))
        nextWait += 1
      }
      if nextBarrier < barriers.count && Int(barriers[nextBarrier]) == index {
        result.append(.barrier(record.queue, scope: record.scope))
        nextBarrier += 1
      }
      positions[op] = UInt32(result.count)
      result.append(record)
      while nextSet < sets.count && Int(edges[Int(sets[nextSet])].producer) == index {
        result.append(.synchronise(edges[Int(sets[nextSet])].event, .set, scope: record.scope))
        nextSet += 1
      }
    }
    let bytes =
      records.count * MemoryLayout<Mark>.stride + numbers.storageBytes + edges.storageBytes
      + sets.storageBytes + joined.storageBytes + members.reduce(0) { $0 + $1.storageBytes }
    return CoreStream.Lowered(records: result, positions: positions, workingBytes: bytes)
  }
}
