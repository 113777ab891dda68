/// The edges of a conflict graph by the nodes that they come from.
struct ConflictFollowers: Sendable {
  /// Edges from node `i`: `edges[starts[i]..<starts[i + 1]]`, each the node that comes later with the
  /// bits of ``ConflictGraph``.
  let starts: [UInt32]
  let edges: [UInt32]

  init(_ graph: ConflictGraph) {
    let nodes = graph.nodeCount
    var next = [UInt32](repeating: 0, count: nodes + 1)
    for edge in graph.edges { next[Int(edge & ConflictGraph.nodeMask) + 1] += 1 }
    for node in 0..<nodes { next[node + 1] += next[node] }
    starts = next
    var edges = [UInt32](repeating: 0, count: graph.edgeCount)
    for node in 0..<nodes {
      for place in graph.places(into: node) {
        let edge = graph.edges[place]
        let source = Int(edge & ConflictGraph.nodeMask)
        edges[Int(next[source])] = UInt32(node) | edge & ~ConflictGraph.nodeMask
        next[source] += 1
      }
    }
    self.edges = edges
  }

  /// Bytes of its lists.
  var storageBytes: Int { starts.storageBytes + edges.storageBytes }

  @inline(__always) func places(behind node: Int) -> Range<Int> {
    Int(starts[node])..<Int(starts[node + 1])
  }
}
