extension FoundOrder {
  /// A program in the order that is asked for. What cannot be timed keeps its written order.
  public init(_ program: SequentialProgram, order: QueueOrder) {
    let found = order == .found ? try? OrderSearch.run(program) : nil
    self = found ?? FoundOrder(written: program)
  }

  /// A program in the order in which it was written; no other one is looked for.
  public init(written program: SequentialProgram) {
    self.init(program, explicitly: [[UInt32]?](repeating: nil, count: program.coreCount))
  }

  /// A program in orders that are given: for each core the places of its micro-ops in the sequence,
  /// `nil` for the written one.
  init(_ program: SequentialProgram, explicitly orders: [[UInt32]?]) {
    let lowered = program.lowered(in: orders, ConflictGraphs(program))
    self.init(program: lowered.program, places: lowered.places)
  }

  /// For each core the places of its micro-ops in the sequence, in the order of the program.
  func orders(of sequence: SequentialProgram) -> [[UInt32]?] {
    places.indices.map { core in
      if sequence.isKeptAsWritten(core: core) { return nil }
      let own = places[core]
      return own.indices.map { UInt32($0) }.sorted { own[Int($0)] < own[Int($1)] }
    }
  }

  /// Where micro-ops stand in the sequence: a set where its producer does, a wait or barrier where the
  /// micro-op behind it does.
  func written(_ sites: [Finding.Site]) -> [Finding.Site] {
    let inverse = program.cores.indices.map { sequencePlaces(ofCore: $0) }
    return sites.map { site in
      guard program.cores.indices.contains(site.core), let inverse = inverse[site.core] else {
        return site
      }
      let list = program.cores[site.core]
      var op = site.op
      while list.indices.contains(op) {
        if inverse[op] >= 0 { return Finding.Site(core: site.core, op: Int(inverse[op])) }
        op += list[op].kind.isSet ? -1 : 1
      }
      return site
    }
  }

  /// For each micro-op of a core its place in the sequence, −1 for one that was added; `nil` where
  /// every micro-op is at its place.
  private func sequencePlaces(ofCore core: Int) -> [Int64]? {
    let own = places[core]
    if own.count == program.cores[core].count, own.indices.allSatisfy({ own[$0] == $0 }) {
      return nil
    }
    var result = [Int64](repeating: -1, count: program.cores[core].count)
    for (place, op) in own.enumerated() { result[Int(op)] = Int64(place) }
    return result
  }
}
