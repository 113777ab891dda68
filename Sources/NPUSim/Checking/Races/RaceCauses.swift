/// Gathers races by the edge that is missing: one cause for all pairs that one edge would order.
///
/// A cut is a place in the program order of a core. An event that the one queue sets before it and the
/// other waits for behind it, or a barrier on the queue of both, orders every pair that the cut
/// separates. The fewest cuts that separate all pairs of two queues are found from the front: each
/// stands as late as the first pair allows that no earlier cut separates. Cuts between the same
/// statements are turns of one missing edge.
struct RaceCauses {
  /// What would order the races of a cause.
  enum Edge: Hashable {
    /// Barriers on a queue that does not interlock.
    case barriers(Queue)
    /// An event from behind one statement to before another.
    case event(from: Statement, queue: Queue, to: Statement, on: Queue)
    /// A barrier over the cores between two statements that use a buffer.
    case cores(from: Statement, to: Statement, buffer: UInt32?)
  }

  /// Where an edge has to stand once.
  struct Cut: Hashable {
    var core: Int
    /// The last micro-op that has to be visible.
    var from: Int
    /// The first micro-op that has to wait.
    var to: Int
  }

  /// Races with one cause.
  struct Cause {
    var edge: Edge
    /// In program order.
    var races: [Race] = []
    /// Empty between cores: that barrier is placed by hand.
    var cuts: [Cut] = []
  }

  /// Two queues of a core, which may be the same one.
  private struct Queues: Hashable {
    var core: Int
    var first: Queue
    var second: Queue
  }

  private let writer: FindingWriter
  private(set) var causes: [Cause] = []
  private var known: [Edge: Int] = [:]

  /// The causes of races that are in program order, in the order of their first races.
  init(_ races: [Race], _ writer: FindingWriter) {
    self.writer = writer
    var groups: [Queues: [Race]] = [:]
    for race in races {
      guard race.first.core == race.second.core else {
        add(race, to: betweenCores(race))
        continue
      }
      let queues = Queues(
        core: race.first.core, first: writer.record(race.first).queue,
        second: writer.record(race.second).queue)
      groups[queues, default: []].append(race)
    }
    for (queues, group) in groups { gather(group, queues) }
    for index in causes.indices {
      causes[index].races.sort()
      causes[index].cuts.sort { ($0.core, $0.to, $0.from) < ($1.core, $1.to, $1.from) }
    }
    causes = causes.filter { !$0.races.isEmpty }.sorted { $0.races[0] < $1.races[0] }
  }

  private mutating func add(_ race: Race, to edge: Edge) {
    causes[index(of: edge)].races.append(race)
  }

  private mutating func index(of edge: Edge) -> Int {
    if let index = known[edge] { return index }
    known[edge] = causes.count
    causes.append(Cause(edge: edge))
    return causes.count - 1
  }

  private func betweenCores(_ race: Race) -> Edge {
    .cores(
      from: writer.statement(race.first), to: writer.statement(race.second),
      buffer: writer.conflict(race).map { writer.program.tiles[Int($0.first)].buffer })
  }

  /// Cuts between the races of two queues, and the races to the causes of their cuts.
  private mutating func gather(_ races: [Race], _ queues: Queues) {
    let ordered = races.sorted {
      ($0.second.op, $0.first.op, $0.code.rawValue) < ($1.second.op, $1.first.op, $1.code.rawValue)
    }
    var first = 0
    while first < ordered.count {
      // Later races that begin before this cut are separated by it too.
      let place = ordered[first].second.op
      var end = first
      while end < ordered.count, ordered[end].first.op < place { end += 1 }
      let own = ordered[first..<end]
      let cut = Cut(
        core: queues.core, from: own.reduce(0) { max($0, $1.first.op) }, to: place)
      let index = index(of: edge(of: cut, queues))
      causes[index].cuts.append(cut)
      causes[index].races += own
      first = end
    }
  }

  private func edge(of cut: Cut, _ queues: Queues) -> Edge {
    if queues.first == queues.second { return .barriers(queues.first) }
    return .event(
      from: writer.statement(.init(core: cut.core, op: cut.from)), queue: queues.first,
      to: writer.statement(.init(core: cut.core, op: cut.to)), on: queues.second)
  }
}
