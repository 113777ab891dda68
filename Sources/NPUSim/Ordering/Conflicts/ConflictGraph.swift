/// Which micro-ops of one core have to keep the order in which they were written: those that share a
/// byte which one of them writes.
///
/// Only the last writers and the readers since are kept, so that there are few edges for each
/// micro-op; what they imply is the same. Barriers that were written keep everything else apart: no
/// edge leads over one. Readers that many writers come behind meet in a *join*, a node of its own that
/// takes no time.
public struct ConflictGraph: Sendable {
  /// Set of an edge whose second micro-op waits on the queue of both for the result of the first.
  static let waitBit: UInt32 = 1 << 31

  /// How many micro-ops and barriers the core has. They are the first nodes, joins the others.
  public let opCount: Int
  /// Edges of node `i`: `edges[starts[i]..<starts[i + 1]]`, each the node that comes later.
  let starts: [UInt32]
  let edges: [UInt32]
  /// How many edges lead to each node.
  let arrivals: [UInt32]
  /// The queue of each join: all readers that meet there are of one.
  let joinQueues: [UInt8]

  /// The graph of a core of a program, as it was written.
  public init(_ program: SequentialProgram, core: Int) {
    var tables = ConflictTables(program)
    self.init(program, core: core, &tables)
  }

  init(_ program: SequentialProgram, core: Int, _ tables: inout ConflictTables) {
    var finder = ConflictFinder(program.records(ofCore: core), tables.taps(ofCore: core), tables)
    finder.run()
    self = finder.graph()
  }

  init(
    opCount: Int, starts: [UInt32], edges: [UInt32], arrivals: [UInt32], joinQueues: [UInt8]
  ) {
    self.opCount = opCount
    self.starts = starts
    self.edges = edges
    self.arrivals = arrivals
    self.joinQueues = joinQueues
  }

  /// Micro-ops, barriers and joins.
  var nodeCount: Int { starts.count - 1 }

  /// How many edges there are, those of joins among them.
  public var edgeCount: Int { edges.count }

  /// The micro-ops that come directly behind one in the graph, in the order in which they were written.
  public func successors(of op: Int) -> [Int] {
    var result: Set<Int> = []
    var open = [op]
    while let node = open.popLast() {
      for edge in edges[Int(starts[node])..<Int(starts[node + 1])] {
        let next = Int(edge & ~Self.waitBit)
        if next < opCount { result.insert(next) } else { open.append(next) }
      }
    }
    return result.sorted()
  }
}
