/// Puts the micro-ops of one core in an order by a rule: goes through time as the machine would, and
/// lets each queue start what the rule prefers among what its conflicts allow.
///
/// Time here is near to that of the timing engine, not equal: a set or a wait costs a dispatch where
/// there may be one, and other cores take an even part of HBM, or none. The order that comes out is legal in
/// any case, and is timed exactly afterwards.
struct ListScheduler: ~Copyable {
  /// One queue while time passes.
  private struct Lane {
    var free: Int64 = 0
    /// The latest instant at which a result of the queue is visible.
    var visible: Int64 = 0
    /// Micro-ops so far, and those before its last barrier.
    var count: UInt32 = 0
    var fenced: UInt32 = 0
    /// The next of its micro-ops in written order, if it keeps that.
    var head = 0
    /// By the cycle from which on it may start.
    var coming = KeyHeap()
    /// By the rule, among those that may start.
    var ready = KeyHeap()
    /// The same, of those that need a barrier before.
    var barred = KeyHeap()
  }

  private let model: CoreModel
  private let rule: OrderRule
  private let prices: [PriceTable.Price]
  /// By the rule: the largest goes first. Not asked for where queues keep their order.
  private let priorities: [Int64]
  private let lanes: UnsafeMutablePointer<Lane>
  /// For each node, edges that still lead to it; ``chosen`` once it has its place in the order.
  private let missing: UnsafeMutablePointer<UInt32>
  /// For each node, when it may start as far as is known; of joins, when they are free.
  private let readiness: UnsafeMutablePointer<Int64>
  /// When the results before a join are visible.
  private var joinVisible: [Int64]
  /// For each micro-op 1 + the place of the last one on its queue whose result it needs; empty where
  /// every queue interlocks.
  private var needs: [UInt32]
  /// Micro-ops that wait for nothing but the window, by their place.
  private var outside = KeyHeap()
  private var limit = 0
  /// Queues that keep their written order, and those without interlock, one bit each.
  private var kept: UInt8 = 0
  private var fenceless: UInt8 = 0
  private var hbm: RateServer
  private var dispatch: Int64 = 0
  private(set) var order: [UInt32] = []

  private static let chosen = UInt32.max

  init(_ model: CoreModel, _ rule: OrderRule, priorities: [Int64]) {
    self.model = model
    self.rule = rule
    prices = model.prices(rule.hbm)
    self.priorities = priorities
    let nodes = model.graph.nodeCount
    lanes = .allocate(capacity: Queue.count)
    lanes.initialize(repeating: Lane(), count: Queue.count)
    missing = .allocate(capacity: max(1, nodes))
    for node in 0..<nodes {
      (missing + node).initialize(to: UInt32(model.graph.places(into: node).count))
    }
    readiness = .allocate(capacity: max(1, nodes))
    readiness.initialize(repeating: 0, count: nodes)
    joinVisible = [Int64](repeating: 0, count: nodes - model.graph.opCount)
    for queue in rule.kept { kept |= 1 << queue.rawValue }
    for queue in Queue.allCases where !model.machine.interlocks(queue) {
      fenceless |= 1 << queue.rawValue
    }
    needs = [UInt32](repeating: 0, count: fenceless == 0 ? 0 : model.graph.opCount)
    hbm = RateServer(parts: model.machine.hbm.parts)
    order.reserveCapacity(model.graph.opCount)
  }

  deinit {
    lanes.deinitialize(count: Queue.count)
    lanes.deallocate()
    missing.deallocate()
    readiness.deallocate()
  }

  /// Chooses until every micro-op has its place.
  mutating func run() {
    let count = model.graph.opCount
    var oldest = 0
    var barrier = nextBarrier(from: 0)
    for queue in 0..<Queue.count where isKept(queue) {
      lanes[queue].head = nextMember(of: queue, from: 0)
    }
    limit = min(barrier, rule.window ?? barrier)
    for op in 0..<count where missing[op] == 0 && model.records[op].kind == .data { admit(op) }
    while order.count < count {
      while oldest < count && missing[oldest] == Self.chosen { oldest += 1 }
      if oldest == barrier {
        pass(barrier)
        barrier = nextBarrier(from: barrier + 1)
        continue
      }
      limit = min(barrier, rule.window.map { oldest + $0 } ?? barrier)
      while !outside.isEmpty && outside.first.key < limit {
        let op = outside.pop()
        enter(Int(op))
      }
      var best: (queue: Int, start: Int64)?
      for queue in 0..<Queue.count {
        if let start = nextStart(of: queue), start < best?.start ?? .max { best = (queue, start) }
      }
      // The oldest micro-op waits for none that is not chosen, so that there always is one.
      guard let best else { break }
      start(best.queue, at: best.start)
    }
  }

  /// Bytes of its lists, priorities among them.
  var storageBytes: Int {
    let nodes = model.graph.nodeCount * (MemoryLayout<UInt32>.stride + MemoryLayout<Int64>.stride)
    let heaps = (0..<Queue.count).reduce(outside.storageBytes) { sum, queue in
      sum + lanes[queue].coming.storageBytes + lanes[queue].ready.storageBytes
        + lanes[queue].barred.storageBytes
    }
    return nodes + heaps + priorities.storageBytes + joinVisible.storageBytes + needs.storageBytes
      + order.storageBytes
  }

  // MARK: What could start

  private func isKept(_ queue: Int) -> Bool { kept >> UInt8(queue) & 1 != 0 }

  private func nextBarrier(from place: Int) -> Int {
    var place = place
    while place < model.graph.opCount && model.records[place].kind == .data { place += 1 }
    return place
  }

  private func nextMember(of queue: Int, from place: Int) -> Int {
    var place = place
    while place < model.graph.opCount
      && (model.records[place].queue.index != queue || model.records[place].kind != .data)
    {
      place += 1
    }
    return place
  }

  /// A micro-op waits for nothing but its turn.
  @inline(__always)
  private mutating func admit(_ op: Int) {
    if op < limit { enter(op) } else { outside.push(Int64(op), UInt32(op)) }
  }

  @inline(__always)
  private mutating func enter(_ op: Int) {
    let queue = model.records[op].queue.index
    if !isKept(queue) { lanes[queue].coming.push(readiness[op], UInt32(op)) }
  }

  /// Whether a barrier has to come before a micro-op.
  @inline(__always)
  private func isBarred(_ op: Int, _ queue: Int) -> Bool {
    fenceless >> UInt8(queue) & 1 != 0 && needs[op] > lanes[queue].fenced
  }

  /// When the next micro-op of a queue would start; `nil` where none can.
  @inline(__always)
  private mutating func nextStart(of queue: Int) -> Int64? {
    let free = max(lanes[queue].free, dispatch)
    if isKept(queue) {
      let head = lanes[queue].head
      guard head < limit, missing[head] == 0 else { return nil }
      return startOf(head, queue, free)
    }
    while !lanes[queue].coming.isEmpty && lanes[queue].coming.first.key <= free {
      settle(queue)
    }
    if !lanes[queue].ready.isEmpty { return free }
    let barred = lanes[queue].barred.isEmpty ? Int64.max : max(free, lanes[queue].visible + 1)
    let coming =
      lanes[queue].coming.isEmpty
      ? Int64.max
      : startOf(Int(lanes[queue].coming.first.op), queue, max(free, lanes[queue].coming.first.key))
    let start = min(barred, coming)
    return start == .max ? nil : start
  }

  @inline(__always)
  private func startOf(_ op: Int, _ queue: Int, _ free: Int64) -> Int64 {
    let start = max(free, readiness[op])
    return isBarred(op, queue) ? max(start, lanes[queue].visible + 1) : start
  }

  /// The micro-op that comes next is one that may start.
  @inline(__always)
  private mutating func settle(_ queue: Int) {
    let op = lanes[queue].coming.pop()
    if isBarred(Int(op), queue) {
      lanes[queue].barred.push(-priorities[Int(op)], op)
    } else {
      lanes[queue].ready.push(-priorities[Int(op)], op)
    }
  }

  /// Starts the micro-op of a queue that the rule prefers among those that could start from `start` on.
  private mutating func start(_ queue: Int, at start: Int64) {
    if isKept(queue) {
      let op = lanes[queue].head
      lanes[queue].head = nextMember(of: queue, from: op + 1)
      return choose(op, queue, at: start)
    }
    let (until, _) = start.addingReportingOverflow(rule.slack)
    while !lanes[queue].coming.isEmpty && lanes[queue].coming.first.key <= until {
      settle(queue)
    }
    let barrierEnd = lanes[queue].visible + 1
    let takesBarred =
      !lanes[queue].barred.isEmpty
      && (lanes[queue].ready.isEmpty
        || barrierEnd <= until && lanes[queue].barred.first < lanes[queue].ready.first)
    guard takesBarred else {
      let op = Int(lanes[queue].ready.pop())
      return choose(op, queue, at: max(start, readiness[op]))
    }
    let op = Int(lanes[queue].barred.pop())
    choose(op, queue, at: max(start, readiness[op], barrierEnd))
  }

  // MARK: What happens then

  /// Gives a micro-op its place, and tells those that wait for it.
  private mutating func choose(_ op: Int, _ queue: Int, at start: Int64) {
    if isBarred(op, queue) { bar(queue) }
    let price = prices[Int(model.records[op].work)]
    var free = start + max(1, price.occupancy)
    if price.usesHBM {
      free = max(free, hbm.serve(from: start, price.hbm))
    }
    lanes[queue].free = free
    lanes[queue].visible = max(lanes[queue].visible, free + price.latency)
    lanes[queue].count += 1
    dispatch += 1
    missing[op] = Self.chosen
    order.append(UInt32(op))
    release(op, queue, free: free, visible: free + price.latency)
  }

  /// A barrier of a queue: what was written before may be used behind it.
  private mutating func bar(_ queue: Int) {
    lanes[queue].fenced = lanes[queue].count
    dispatch += 1
    while !lanes[queue].barred.isEmpty {
      let entry = lanes[queue].barred.first
      lanes[queue].ready.push(entry.key, entry.op)
      _ = lanes[queue].barred.pop()
    }
  }

  /// Follows the edges of a node.
  private mutating func release(_ node: Int, _ queue: Int, free: Int64, visible: Int64) {
    let seen = max(lanes[queue].visible, free + 1, visible)
    var crosses = false
    for place in model.followers.places(behind: node) {
      let edge = model.followers.edges[place]
      let next = Int(edge & ConflictGraph.nodeMask)
      missing[next] -= 1
      if next >= model.graph.opCount {
        let join = next - model.graph.opCount
        readiness[next] = max(readiness[next], free)
        joinVisible[join] = max(joinVisible[join], visible)
        if missing[next] == 0 {
          release(next, queue, free: readiness[next], visible: joinVisible[join])
        }
        continue
      }
      let other = model.records[next].queue.index
      if other != queue {
        readiness[next] = max(
          readiness[next], seen + model.crossing(from: queue, to: other))
        crosses = true
      } else if edge & ConflictGraph.waitBit == 0 {
        readiness[next] = max(readiness[next], free)
      } else {
        readiness[next] = max(readiness[next], visible)
        if !needs.isEmpty { needs[next] = max(needs[next], lanes[queue].count) }
      }
      if missing[next] == 0 { admit(next) }
    }
    // Its set, and a wait.
    if crosses { dispatch += 2 }
  }

  /// Comes to a barrier that was written, with everything before it chosen.
  private mutating func pass(_ op: Int) {
    let record = model.records[op]
    missing[op] = Self.chosen
    order.append(UInt32(op))
    dispatch += 1
    if record.kind == .barrierQueue {
      let queue = record.queue.index
      lanes[queue].free = max(lanes[queue].free, lanes[queue].visible, dispatch) + 1
      bar(queue)
      return
    }
    var all = dispatch
    for queue in 0..<Queue.count { all = max(all, lanes[queue].free, lanes[queue].visible) }
    dispatch = all + 1
    for queue in 0..<Queue.count {
      lanes[queue].free = all + 1
      bar(queue)
    }
  }
}
