/// Which ends of which cores wait for which, where nothing executes any more.
struct HoldGraph {
  /// What holds a queue, or the sequencer, that stands at a micro-op which waits for another one.
  struct Hold {
    var end: EventEnd
    var site: Finding.Site
    var words: HoldWords
    /// The micro-op that it needs, if the program has it.
    var partner: Finding.Site?
    /// That stands behind what its sequencer cannot pass.
    var isUndispatched: Bool
  }

  /// By core: its queues in their order, then its sequencer.
  var holds: [[Hold]]
  /// What each end waits for, directly; after ``close()`` in the end.
  private var reach: [Int: Set<Int>] = [:]

  init(cores: Int) { holds = Array(repeating: [], count: cores) }

  private static func node(_ core: Int, _ end: EventEnd) -> Int {
    core * EventEnd.count + end.index
  }

  /// One end waits for another.
  mutating func join(_ core: Int, _ end: EventEnd, to other: Int, _ otherEnd: EventEnd) {
    reach[Self.node(core, end), default: []].insert(Self.node(other, otherEnd))
  }

  /// Finds what each end waits for in the end.
  mutating func close() {
    let direct = reach
    for node in direct.keys {
      var found: Set<Int> = []
      var stack = Array(direct[node] ?? [])
      while let next = stack.popLast() {
        if found.insert(next).inserted { stack += direct[next] ?? [] }
      }
      reach[node] = found
    }
  }

  private func waits(_ hold: Hold, for other: Hold) -> Bool {
    reach[Self.node(hold.site.core, hold.end)]?
      .contains(Self.node(other.site.core, other.end)) ?? false
  }

  /// The holds of a core that wait for themselves in the end, with those of the cores that they wait
  /// for and that wait for them, in the order of the cores; none where there is no such hold.
  func cycle(through core: Int) -> [Hold] {
    let own = holds[core].filter { waits($0, for: $0) }
    guard !own.isEmpty else { return [] }
    return holds.indices.flatMap { other in
      other == core
        ? own
        : holds[other].filter { hold in
          own.contains { waits($0, for: hold) && waits(hold, for: $0) }
        }
    }
  }
}
