/// A change to the synchronisation of a program: what the fix of a finding does, so that it can be
/// tried.
public enum ProgramEdit: Sendable, Hashable {
  /// An event from after micro-op `from` to before micro-op `to` of the same core, on other queues.
  case event(core: Int, from: Int, to: Int)
  /// A barrier on the queue of both, somewhere after micro-op `from` and before micro-op `to`.
  case barrier(core: Int, from: Int, to: Int)
  /// A barrier on all queues, somewhere after micro-op `from` and before micro-op `to`.
  case fence(core: Int, from: Int, to: Int)
  /// Micro-ops to leave out.
  case remove(core: Int, ops: [Int])
  /// The sets and waits of an event take so many IDs in turn: its own, then those that the pair of
  /// queues does not use yet.
  case rotate(core: Int, event: Event, identifiers: Int)

  /// Most event IDs of its own that an edit may take.
  public static let mostIdentifiers = 64

  /// The core whose list changes.
  public var core: Int {
    switch self {
    case .event(let core, _, _), .barrier(let core, _, _), .fence(let core, _, _),
      .remove(let core, _), .rotate(let core, _, _):
      core
    }
  }
}

extension Program {
  /// The program with edits applied, in the same core and place numbering for all of them.
  ///
  /// Events that other edits imply are not added twice: of the edges into one micro-op from one
  /// queue the last counts, and an edge that an earlier one covers is left out. New events take
  /// `identifiers` IDs in turn, from the first that the pair of queues does not use; whether the
  /// machine has them is for the checker to say. Taps and defects move along with their micro-ops.
  public func applying(_ edits: [ProgramEdit], identifiers: Int = 1) -> Program {
    var result = self
    for core in Set(edits.map(\.core)).sorted() where cores.indices.contains(core) {
      var plan = EditPlan(self, core: core, identifiers: max(1, identifiers))
      for edit in edits where edit.core == core { plan.add(edit) }
      plan.apply(to: &result)
    }
    return result
  }

  /// The first ID that no event of an ordered pair of ends uses on a core.
  public func firstFreeEvent(from source: EventEnd, to target: EventEnd, core: Int) -> Int {
    guard cores.indices.contains(core) else { return 0 }
    var free = 0
    for record in cores[core] where record.kind.isOfEvent {
      let event = record.event
      if event.source == source && event.target == target { free = max(free, Int(event.id) + 1) }
    }
    return free
  }
}

/// What is put before and after the micro-ops of one core.
private struct EditPlan {
  private struct Edge: Hashable {
    var from: Int
    var to: Int
  }

  private let program: Program
  private let core: Int
  private let records: [OpRecord]
  private let identifiers: Int
  private var edges: [Int: [Edge]] = [:]
  private var barriers: [Queue: [Edge]] = [:]
  private var fences: [Edge] = []
  private var removed: Set<Int> = []
  /// IDs in place of one, by the event that has it.
  private var rotations: [Event: [UInt16]] = [:]
  /// IDs that rotations have taken of each pair of queues.
  private var taken: [Int: Int] = [:]

  init(_ program: Program, core: Int, identifiers: Int) {
    self.program = program
    self.core = core
    self.identifiers = identifiers
    records = program.cores[core]
  }

  mutating func add(_ edit: ProgramEdit) {
    switch edit {
    case .event(_, let from, let to):
      guard records.indices.contains(from), records.indices.contains(to) else { return }
      let pair = Event(from: records[from].queue, to: records[to].queue, id: 0).pair
      edges[pair, default: []].append(Edge(from: from, to: to))
    case .barrier(_, let from, let to):
      guard records.indices.contains(from), records.indices.contains(to) else { return }
      barriers[records[to].queue, default: []].append(Edge(from: from, to: to))
    case .fence(_, let from, let to):
      guard records.indices.contains(from), records.indices.contains(to) else { return }
      fences.append(Edge(from: from, to: to))
    case .remove(_, let ops): removed.formUnion(ops.filter { records.indices.contains($0) })
    case .rotate(_, let event, let identifiers):
      let count = max(1, min(identifiers, Int(UInt16.max)))
      let base =
        program.firstFreeEvent(from: event.source, to: event.target, core: core)
        + taken[event.pair, default: 0]
      taken[event.pair, default: 0] += count - 1
      rotations[event] = [event.id] + (0..<(count - 1)).map { UInt16(clamping: base + $0) }
    }
  }

  /// The records, the events that rotate with the IDs that they take.
  private func rotated() -> [OpRecord] {
    guard !rotations.isEmpty else { return records }
    var result = records
    var turns: [OpKind: [Event: Int]] = [:]
    for (op, record) in records.enumerated() where record.kind.isOfEvent {
      guard let identifiers = rotations[record.event] else { continue }
      let turn = turns[record.kind, default: [:]][record.event, default: 0]
      turns[record.kind, default: [:]][record.event] = turn + 1
      var event = record.event
      event.id = identifiers[turn % identifiers.count]
      result[op].words[0] = event.packed
    }
    return result
  }

  /// Edges that no earlier one covers: in order of their ends, each from further on than the last.
  private static func reduced(_ edges: [Edge]) -> [Edge] {
    var result: [Edge] = []
    for edge in Set(edges).sorted(by: { ($0.to, -$0.from) < ($1.to, -$1.from) }) {
      if let last = result.last, last.from >= edge.from { continue }
      result.append(edge)
    }
    return result
  }

  /// Barriers that stand between both ends of every edge, as late and as few as possible.
  private static func stops(_ edges: [Edge]) -> [Int] {
    var result: [Int] = []
    for edge in edges.sorted(by: { $0.to < $1.to }) {
      if let last = result.last, last > edge.from { continue }
      result.append(edge.to)
    }
    return result
  }

  func apply(to result: inout Program) {
    var before: [Int: [OpRecord]] = [:]
    var after: [Int: [OpRecord]] = [:]
    for (_, list) in edges.sorted(by: { $0.key < $1.key }) {
      guard let first = list.first else { continue }
      let source = records[first.from].queue
      let target = records[first.to].queue
      let base = program.firstFreeEvent(
        from: .queue(source), to: .queue(target), core: core)
      for (index, edge) in Self.reduced(list).enumerated() {
        let event = Event(
          from: source, to: target, id: UInt16(truncatingIfNeeded: base + index % identifiers))
        after[edge.from, default: []].append(
          Self.record(.set, OpCatalogue.set, source, event.packed))
        before[edge.to, default: []].append(
          Self.record(.wait, OpCatalogue.wait, target, event.packed))
      }
    }
    for (queue, list) in barriers.sorted(by: { $0.key.index < $1.key.index }) {
      for place in Self.stops(list) {
        before[place, default: []].append(
          Self.record(.barrierQueue, OpCatalogue.barrierQueue, queue, UInt32(queue.index)))
      }
    }
    for place in Self.stops(fences) {
      before[place, default: []].append(.fence(scope: 0))
    }
    rebuild(&result, before: before, after: after)
  }

  private static func record(_ kind: OpKind, _ opcode: UInt8, _ queue: Queue, _ word: UInt32)
    -> OpRecord
  {
    var record = OpRecord(opcode: opcode, queue: queue, kind: kind)
    record.operandCount = 1
    record.words[0] = word
    return record
  }

  private func rebuild(
    _ result: inout Program, before: [Int: [OpRecord]], after: [Int: [OpRecord]]
  ) {
    var list: [OpRecord] = []
    list.reserveCapacity(records.count + 2 * before.count)
    var places = [Int?](repeating: nil, count: records.count)
    for (op, record) in rotated().enumerated() {
      list += before[op] ?? []
      if !removed.contains(op) {
        places[op] = list.count
        list.append(record)
      }
      list += after[op] ?? []
    }
    result.cores[core] = list
    result.taps = result.taps.compactMap { tap in
      guard tap.core == core, places.indices.contains(tap.op) else { return tap }
      guard let place = places[tap.op] else { return nil }
      var moved = tap
      moved.op = place
      return moved
    }
    result.defects = result.defects.compactMap { defect in
      guard defect.core == core, let op = defect.op, places.indices.contains(op) else {
        return defect
      }
      guard let place = places[op] else { return nil }
      var moved = defect
      moved.op = place
      return moved
    }
  }
}
