/// Which micro-ops of one core have to keep the order in which they were written: those that share a
/// byte which one of them writes.
///
/// Only the last writers and the readers since are kept, so that there are few edges for each
/// micro-op; what they imply is the same. No edge leads over a barrier on all queues. Readers that many
/// writers come behind meet in a *join*, a node of its own that takes no time.
public struct ConflictGraph: Sendable, Equatable {
  /// Set of an edge whose second micro-op waits on the queue of both for the result of the first.
  static let waitBit: UInt32 = 1 << 31
  /// Set of an edge whose second micro-op reads bytes of HBM that the first one wrote, on a machine
  /// that needs a barrier between the two.
  static let fenceBit: UInt32 = 1 << 30
  /// Set of an edge whose second micro-op reads what the first one wrote.
  static let flowBit: UInt32 = 1 << 29
  /// The rest of an edge: the node that comes first.
  static let nodeMask: UInt32 = flowBit - 1

  /// How many micro-ops and barriers the core has. They are the first nodes, joins the others.
  public let opCount: Int
  /// Edges into node `i`: `edges[starts[i]..<starts[i + 1]]`.
  let starts: [UInt32]
  let edges: [UInt32]
  /// The queue of each join: all readers that meet there are of one.
  let joinQueues: [UInt8]

  /// The graph of a core of a program, as it was written, with what taps read.
  public init(_ program: SequentialProgram, core: Int) {
    self.init(program, core: core, ConflictTables(program, withTaps: true))
  }

  init(_ program: SequentialProgram, core: Int, _ tables: ConflictTables) {
    var finder = ConflictFinder(program.records(ofCore: core), tables.taps(ofCore: core), tables)
    finder.run()
    self = finder.graph()
  }

  init(opCount: Int, starts: [UInt32], edges: [UInt32], joinQueues: [UInt8]) {
    self.opCount = opCount
    self.starts = starts
    self.edges = edges
    self.joinQueues = joinQueues
  }

  /// Micro-ops, barriers and joins.
  var nodeCount: Int { starts.count - 1 }

  /// How many edges there are, those of joins among them.
  public var edgeCount: Int { edges.count }

  /// The graph if every write had a place of its own: only what is read comes behind its writer.
  var flow: ConflictGraph {
    var starts: [UInt32] = [0]
    var edges: [UInt32] = []
    for op in 0..<opCount {
      edges += self.edges[places(into: op)].lazy.filter { $0 & Self.flowBit != 0 }
      starts.append(UInt32(edges.count))
    }
    return ConflictGraph(opCount: opCount, starts: starts, edges: edges, joinQueues: [])
  }

  /// Bytes of its lists.
  var storageBytes: Int { starts.storageBytes + edges.storageBytes + joinQueues.storageBytes }

  /// Where the edges into a node are.
  @inline(__always) func places(into node: Int) -> Range<Int> {
    Int(starts[node])..<Int(starts[node + 1])
  }

  /// The micro-ops that one comes directly behind in the graph, in the order in which they were
  /// written.
  public func predecessors(of op: Int) -> [Int] {
    var result: Set<Int> = []
    var open = [op]
    while let node = open.popLast() {
      for place in places(into: node) {
        let earlier = Int(edges[place] & Self.nodeMask)
        if earlier < opCount { result.insert(earlier) } else { open.append(earlier) }
      }
    }
    return result.sorted()
  }
}
