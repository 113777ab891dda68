import NPUSim

/// The quadratic oracle: a graph of start, free and visible instants, closed transitively, and
/// footprints as sets of bytes. It shares no code with the checker.
struct BruteChecker {
  struct Pair: Hashable {
    var code: FindingCode
    var first: Finding.Site
    var second: Finding.Site
  }

  private(set) var races: Set<Pair> = []
  private(set) var uninitialised: Set<Finding.Site> = []
  private(set) var hasCycle = false
  /// Micro-ops that never start.
  private(set) var unfinished = 0
  private(set) var hasStarvation = false
  private(set) var hasCapacityStop = false
  /// Sets with no wait that makes room for them before them in the program.
  private(set) var doubled: Set<Finding.Site> = []
  /// Sets that may come before such a wait.
  private(set) var overtaking: Set<Finding.Reuse> = []
  /// Sets and waits between queues that have no events.
  private(set) var pairless = 0
  private(set) var unmatched: Set<FindingCode> = []

  let program: Program
  let ops: [(site: Finding.Site, record: OpRecord)]
  /// Instants that must come no later than the key: 3 × op, plus 0 start, 1 free, 2 visible.
  private(set) var before: [[Int]]
  private(set) var happens: [Bool]
  /// Waits that must start before the key, a set that blocks, does; no order is learnt from it.
  private(set) var blockers: [Int: Int] = [:]
  /// `reach[a]`: bit set of the instants that `a` is known not to come after.
  private var reach: [[UInt64]] = []
  private var starved: Set<Int> = []
  /// Sets of events between cores, each with the wait that it has to come after.
  private var roomless: [(set: Int, wait: Int?)] = []
  /// Micro-ops that wait for another one by a unit flag.
  private(set) var flagged: Set<Int> = []
  let cache = ByteCache()
  let oracle: ForwardingOracle
  /// Reads of HBM bytes that the core wrote, with no barrier on all queues in between.
  private(set) var unfenced: Set<Finding.Site> = []

  init(_ program: Program) {
    self.program = program
    oracle = ForwardingOracle(program: program)
    var ops: [(site: Finding.Site, record: OpRecord)] = []
    for (core, records) in program.cores.enumerated() {
      for (op, record) in records.enumerated() {
        ops.append((Finding.Site(core: core, op: op), record))
      }
    }
    self.ops = ops
    before = Array(repeating: [], count: ops.count * 3)
    happens = Array(repeating: false, count: ops.count * 3)
    let events = addEdges()
    addUnitFlags()
    findHappening()
    close()
    judgePairs()
    judgeReads()
    judgeFences()
    judgeDeadlock()
    judgeEvents(events)
  }

  // MARK: Order

  private func start(_ op: Int) -> Int { op * 3 }
  private func free(_ op: Int) -> Int { op * 3 + 1 }
  private func visible(_ op: Int) -> Int { op * 3 + 2 }

  private func isOn(_ op: Int, _ queue: Queue, _ core: Int) -> Bool {
    let kind = ops[op].record.kind
    return ops[op].site.core == core && !isInSequencer(op)
      && (kind == .barrierAll || kind == .barrierCores || ops[op].record.queue == queue)
  }

  /// Whether the sequencer does it as it comes to it.
  func isInSequencer(_ op: Int) -> Bool {
    [.sequencerSet, .sequencerWait, .coreWait].contains(ops[op].record.kind)
  }

  private func mayStand(_ op: Int) -> Bool {
    isSet(op) || isWait(op) || ops[op].record.kind == .coreWait
  }

  private func isSet(_ op: Int) -> Bool {
    [.set, .sequencerSet].contains(ops[op].record.kind)
  }

  private func isWait(_ op: Int) -> Bool {
    [.wait, .sequencerWait].contains(ops[op].record.kind)
  }

  private typealias EventKey = (core: Int, event: Event)

  private mutating func addEdges() -> [(core: Int, event: Event, sets: [Int], waits: [Int])] {
    for op in ops.indices {
      before[free(op)].append(start(op))
      before[visible(op)].append(free(op))
    }
    for core in program.cores.indices {
      let own = ops.indices.filter { ops[$0].site.core == core }
      // Nothing is dispatched before what the sequencer does, or holds for, is done.
      for op in own {
        for earlier in own where earlier < op && isInSequencer(earlier) {
          before[start(op)].append(free(earlier))
        }
        for earlier in own where earlier < op && isInSequencer(op) {
          if [.barrierAll, .barrierCores].contains(ops[earlier].record.kind) {
            before[start(op)].append(start(earlier))
          }
        }
      }
      for queue in Queue.allCases {
        let members = ops.indices.filter { isOn($0, queue, core) }
        for (place, op) in members.enumerated() {
          if place > 0 { before[start(op)].append(free(members[place - 1])) }
          for earlier in members[..<place] {
            let kind = ops[op].record.kind
            if kind == .set || kind == .coreSet {
              before[visible(op)].append(visible(earlier))
            }
            if ![.data, .set, .wait, .coreSet].contains(kind) {
              before[start(op)].append(visible(earlier))
            }
            if kind == .data && program.machine.interlocks(queue) && waits(op, for: earlier) {
              before[start(op)].append(visible(earlier))
            }
          }
        }
      }
    }
    var barriers: [[Int]] = []
    for core in program.cores.indices {
      barriers.append(
        ops.indices.filter { ops[$0].site.core == core && ops[$0].record.kind == .barrierCores })
    }
    for own in barriers {
      for (k, op) in own.enumerated() {
        for other in barriers {
          guard k < other.count else {
            starved.insert(op)
            continue
          }
          for earlier in ops.indices
          where ops[earlier].site.core == ops[other[k]].site.core && earlier < other[k] {
            before[start(op)].append(visible(earlier))
          }
        }
      }
    }
    addCoreEvents()
    return addEvents()
  }

  /// Events between cores: the k-th set of each comes before its k-th wait, and, where only so many may be
  /// pending, it is said which sets may be too many.
  private mutating func addCoreEvents() {
    let sets = ops.indices.filter { ops[$0].record.kind == .coreSet }
    let waits = ops.indices.filter { ops[$0].record.kind == .coreWait }
    func isOne(_ set: Int, _ wait: Int) -> Bool {
      Int(ops[set].record.words[0]) == ops[wait].site.core
        && Int(ops[wait].record.words[0]) == ops[set].site.core
        && ops[set].record.words[1] == ops[wait].record.words[1]
    }
    func isSame(_ a: Int, _ b: Int) -> Bool {
      ops[a].site.core == ops[b].site.core && ops[a].record.words[0] == ops[b].record.words[0]
        && ops[a].record.words[1] == ops[b].record.words[1]
    }
    for wait in waits {
      let number = waits.count { $0 < wait && isSame($0, wait) }
      let own = sets.filter { isOne($0, wait) }
      if number < own.count {
        before[start(wait)].append(visible(own[number]))
      } else {
        starved.insert(wait)
        unmatched.insert(.S002)
      }
    }
    for set in sets {
      let number = sets.count { $0 < set && isSame($0, set) }
      let own = waits.filter { isOne(set, $0) }
      if number >= own.count { unmatched.insert(own.isEmpty ? .S001 : .S003) }
      let most = program.machine.coreEventCapacity
      if number >= most {
        roomless.append((set, number - most < own.count ? own[number - most] : nil))
      }
    }
  }

  private mutating func addEvents() -> [(core: Int, event: Event, sets: [Int], waits: [Int])] {
    var table: [(core: Int, event: Event, sets: [Int], waits: [Int])] = []
    for core in program.cores.indices {
      let own = ops.indices.filter { ops[$0].site.core == core }
      let events = Set(
        own.filter { isSet($0) || isWait($0) }.map { ops[$0].record.event })
      for event in events {
        let sets = own.filter { isSet($0) && ops[$0].record.event == event }
        let waits = own.filter { isWait($0) && ops[$0].record.event == event }
        for (k, wait) in waits.enumerated() {
          if k < sets.count {
            before[start(wait)].append(visible(sets[k]))
          } else {
            starved.insert(wait)
          }
        }
        if program.machine.eventOverwrite == .blocks {
          for (k, set) in sets.enumerated() where k > 0 {
            if k <= waits.count { blockers[set] = waits[k - 1] } else { starved.insert(set) }
          }
        }
        table.append((core, event, sets, waits))
      }
    }
    return table
  }

  private mutating func addUnitFlags() {
    for core in program.cores.indices {
      let own = ops.indices.filter { ops[$0].site.core == core }
      let oracle = UnitFlagOracle(program, own.map { ops[$0].record })
      for (place, op) in own.enumerated() {
        switch oracle.needs[place] {
        case .nothing: continue
        case .never: starved.insert(op)
        case .op(let source):
          for earlier in own[...source] where isOn(earlier, ops[own[source]].record.queue, core) {
            before[start(op)].append(visible(earlier))
          }
        }
        flagged.insert(op)
      }
    }
  }

  /// Whether a micro-op may wait for one of another queue.
  private func mayWait(_ op: Int) -> Bool {
    mayStand(op) || flagged.contains(op)
  }

  /// Whether an interlocking queue holds `later` back for the results of `earlier`.
  private func waits(_ later: Int, for earlier: Int) -> Bool {
    for write in accesses(earlier) where write.access.contains(.write) {
      for use in accesses(later) {
        if forwards(use, behind: write) { continue }
        if use.access.contains(.read) && !bytes(use, .read).isDisjoint(with: bytes(write, .write)) {
          return true
        }
        if use.access.contains(.write)
          && !bytes(use, .write).isDisjoint(with: bytes(write, .write))
        {
          return true
        }
      }
    }
    return false
  }

  private mutating func findHappening() {
    var changed = true
    while changed {
      changed = false
      for node in before.indices where !happens[node] {
        if node % 3 == 0 && starved.contains(node / 3) { continue }
        let isBlocked = node % 3 == 0 && blockers[node / 3].map { !happens[start($0)] } ?? false
        if !isBlocked && before[node].allSatisfy({ happens[$0] }) {
          happens[node] = true
          changed = true
        }
      }
    }
  }

  private mutating func close() {
    let words = (before.count + 63) / 64
    reach = Array(repeating: Array(repeating: 0, count: words), count: before.count)
    // reach[n] collects everything before n.
    var done = [Bool](repeating: false, count: before.count)
    func visit(_ node: Int) {
      if done[node] { return }
      done[node] = true
      for earlier in before[node] {
        visit(earlier)
        for word in 0..<words { reach[node][word] |= reach[earlier][word] }
        reach[node][earlier / 64] |= 1 << UInt64(earlier % 64)
      }
    }
    for node in before.indices where happens[node] { visit(node) }
  }

  private func comes(_ earlier: Int, before later: Int) -> Bool {
    reach[later][earlier / 64] & (1 << UInt64(earlier % 64)) != 0
  }

  // MARK: Races

  private mutating func judgePairs() {
    for x in ops.indices where ops[x].record.kind == .data && happens[start(x)] {
      for y in ops.indices.dropFirst(x + 1)
      where ops[y].record.kind == .data && happens[start(y)] {
        for a in accesses(x) {
          for b in accesses(y) {
            let forwards = forwards(b, behind: a)
            if a.access.contains(.write), b.access.contains(.read), !forwards,
              !comes(visible(x), before: start(y)), !comes(free(y), before: start(x)),
              !bytes(a, .write).isDisjoint(with: bytes(b, .read))
            {
              races.insert(Pair(code: .H001, first: ops[x].site, second: ops[y].site))
            }
            if a.access.contains(.read), b.access.contains(.write),
              !comes(free(x), before: start(y)), !comes(visible(y), before: start(x)),
              !bytes(a, .read).isDisjoint(with: bytes(b, .write))
            {
              races.insert(Pair(code: .H002, first: ops[x].site, second: ops[y].site))
            }
            if a.access.contains(.write), b.access.contains(.write), !forwards,
              !comes(visible(x), before: start(y)), !comes(visible(y), before: start(x)),
              !bytes(a, .write).isDisjoint(with: bytes(b, .write))
            {
              races.insert(Pair(code: .H003, first: ops[x].site, second: ops[y].site))
            }
          }
        }
      }
    }
  }

  private mutating func judgeReads() {
    var initial: Set<Int> = []
    for (index, buffer) in program.buffers.enumerated()
    where buffer.role == .input || buffer.role == .inputOutput {
      _ = index
      for address in buffer.base..<(buffer.base + buffer.payloadExtent) { initial.insert(address) }
      for address in buffer.scaleBase..<(buffer.scaleBase + buffer.scaleExtent) {
        initial.insert(address)
      }
    }
    for y in ops.indices where ops[y].record.kind == .data && happens[start(y)] {
      for use in accesses(y) where use.access.contains(.read) {
        var missing = bytes(use, .read).subtracting(initial)
        for x in ops.indices where x != y && ops[x].record.kind == .data && happens[start(x)] {
          for write in accesses(x) where write.access.contains(.write) {
            if forwards(use, behind: write) || comes(visible(x), before: start(y)) {
              missing.subtract(bytes(write, .write))
            }
          }
        }
        if !missing.isEmpty { uninitialised.insert(ops[y].site) }
      }
    }
  }

  private mutating func judgeFences() {
    let fences = ops.indices.filter {
      [.barrierAll, .barrierCores].contains(ops[$0].record.kind) && happens[start($0)]
    }
    func isInHBM(_ use: Use) -> Bool { program.tiles[Int(use.tile)].space == .hbm }
    for y in ops.indices where ops[y].record.kind == .data && happens[start(y)] {
      for x in ops.indices
      where ops[x].record.kind == .data && ops[x].site.core == ops[y].site.core
        && comes(visible(x), before: start(y))
        && !fences.contains(where: {
          ops[$0].site.core == ops[y].site.core && comes(visible(x), before: start($0))
            && comes(start($0), before: start(y))
        })
      {
        for use in accesses(y) where use.access.contains(.read) && isInHBM(use) {
          for write in accesses(x)
          where write.access.contains(.write) && isInHBM(write)
            && !bytes(use, .read).isDisjoint(with: bytes(write, .write))
          {
            unfenced.insert(ops[y].site)
          }
        }
      }
    }
  }

  // MARK: Deadlock and events

  private mutating func judgeDeadlock() {
    let unfinished = ops.indices.filter { !happens[start($0)] }
    for op in unfinished where starved.contains(op) {
      if ops[op].record.kind == .barrierCores {
        // Its own core has reached it, and the list of another one does not have it.
        let isHead = before[start(op)].allSatisfy {
          happens[$0] || ops[$0 / 3].site.core != ops[op].site.core
        }
        if isHead { hasStarvation = true }
      } else if before[start(op)].allSatisfy({ happens[$0] }) {
        hasStarvation = true
      }
    }
    // A head is what its queue stands at. Only heads wait: what a micro-op behind one would wait for
    // later holds nobody now.
    let heads = unfinished.filter { op in
      // A barrier over the cores waits for the others once its own core has come to it.
      let joins = ops[op].record.kind == .barrierCores
      guard mayWait(op) || joins else { return true }
      return unfinished.allSatisfy {
        guard ops[$0].site.core == ops[op].site.core, $0 < op else { return true }
        if stopsDispatch($0) { return false }
        return joins || isInSequencer(op) || !isOn($0, ops[op].record.queue, ops[op].site.core)
      }
    }
    let isHead = Set(heads)
    func unmet(_ node: Int) -> [Int] {
      let op = node / 3
      let blocker =
        node % 3 == 0 && isHead.contains(op)
        ? blockers[op].map { happens[start($0)] ? [] : [start($0)] } ?? [] : []
      return blocker
        + before[node].filter { earlier in
          if happens[earlier] { return false }
          return node % 3 != 0 || isHead.contains(op)
            || (ops[earlier / 3].site.core == ops[op].site.core
              && (isOn(earlier / 3, ops[op].record.queue, ops[op].site.core)
                || (stopsDispatch(earlier / 3) && earlier / 3 < op)))
        }
    }
    for op in heads where mayWait(op) {
      var seen: Set<Int> = []
      var stack = unmet(start(op))
      while let node = stack.popLast() {
        if node == start(op) { hasCycle = true }
        if seen.insert(node).inserted { stack += unmet(node) }
      }
    }
    self.unfinished = unfinished.count
    if unfinished.isEmpty { judgeCapacity() }
  }

  /// Whether nothing behind a micro-op is dispatched before it starts.
  private func stopsDispatch(_ op: Int) -> Bool {
    isInSequencer(op) || [.barrierAll, .barrierCores].contains(ops[op].record.kind)
  }

  /// Dispatches and starts whatever can be, until nothing changes.
  private mutating func judgeCapacity() {
    guard let depth = program.machine.queueDepth else { return }
    var started = [Bool](repeating: false, count: ops.count)
    var dispatched = [Bool](repeating: false, count: ops.count)
    var changed = true
    while changed {
      changed = false
      for core in program.cores.indices {
        let own = ops.indices.filter { ops[$0].site.core == core }
        if let op = own.first(where: { !dispatched[$0] }) {
          let isHeld = own.contains {
            dispatched[$0] && !started[$0] && stopsDispatch($0)
          }
          let needed = Queue.allCases.filter { isOn(op, $0, core) }
          let hasRoom = needed.allSatisfy { queue in
            own.count { isOn($0, queue, core) && dispatched[$0] && !started[$0] } < depth
          }
          if !isHeld && hasRoom {
            dispatched[op] = true
            changed = true
          }
        }
      }
      for op in ops.indices where dispatched[op] && !started[op] {
        let isBlocked = blockers[op].map { !started[$0] } ?? false
        if !isBlocked && before[start(op)].allSatisfy({ started[$0 / 3] }) {
          started[op] = true
          changed = true
        }
      }
    }
    hasCapacityStop = started.contains(false)
  }

  private mutating func judgeEvents(
    _ table: [(core: Int, event: Event, sets: [Int], waits: [Int])]
  ) {
    let machine = program.machine
    pairless = ops.count { op in
      guard [.set, .wait, .sequencerSet, .sequencerWait].contains(op.record.kind) else {
        return false
      }
      return !(machine.eventPairs.list + machine.fusedEventPairs.list).contains {
        $0.source == op.record.event.source && $0.target == op.record.event.target
      }
    }
    for (set, wait) in roomless where happens[start(set)] {
      if wait.map({ comes(start($0), before: start(set)) }) != true {
        doubled.insert(ops[set].site)
      }
    }
    let kept: Int? =
      switch machine.eventOverwrite {
      case .undefined: 1
      case .counts(let most): most
      case .blocks: nil
      }
    for (_, _, sets, waits) in table {
      if waits.count > sets.count { unmatched.insert(.S002) }
      if sets.count > waits.count { unmatched.insert(waits.isEmpty ? .S001 : .S003) }
      guard let kept else { continue }
      for (k, set) in sets.enumerated() where happens[start(set)] {
        // Sets that stand in the order of the program when this one has been set.
        if k + 1 - waits.count(where: { $0 < set }) > kept {
          doubled.insert(ops[set].site)
        } else if k >= kept, !comes(start(waits[k - kept]), before: start(set)) {
          overtaking.insert(Finding.Reuse(wait: ops[waits[k - kept]].site, set: ops[set].site))
        }
      }
    }
  }
}
