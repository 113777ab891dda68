/// Goes through the micro-ops of a core in written order and finds which of them conflict.
struct ConflictFinder: ~Copyable {
  private typealias Edge = UInt32

  /// Who touched a tile last.
  private struct History {
    /// The last writer; −1 without one.
    var writer: Int32 = -1
    /// The last entry of the readers since in ``readers``; −1 without one.
    var reader: Int32 = -1
    var readerCount: Int32 = 0
    /// Who touched it last, in any way; −1 for nobody.
    var latest: Int32 = -1
    /// The stretch between two barriers that this is of.
    var stretch: UInt32 = 0
  }

  private struct Reader {
    var node: UInt32
    var previous: Int32
  }

  /// Readers that many writers come behind without ending their list meet in joins from so many on.
  private static let mostReaders: Int32 = 4

  private let records: [OpRecord]
  private let tiles: [TileRef]
  /// Whether reads of HBM bytes that were written are told apart.
  private let marksReads: Bool
  private let taps: [TappedTile]
  private let touched: TouchedTiles
  private let histories: UnsafeMutablePointer<History>
  private var stretch: UInt32 = 0
  private var readers: [Reader] = []
  private var freeReader: Int32 = -1
  /// Edges into micro-op `i`: `edges[starts[i]..<starts[i + 1]]`.
  private var starts: [UInt32]
  private var edges: [Edge] = []
  /// For each node: where its last edge is, if that is one into the current micro-op.
  private var marks: [UInt32]
  private var nextTap = 0
  /// The same of joins, their numbers in the order in which they were made.
  private var joinStarts: [UInt32] = [0]
  private var joinEdges: [Edge] = []
  private var joinQueues: [UInt8] = []

  init(_ records: [OpRecord], _ taps: [TappedTile], _ tables: ConflictTables) {
    self.records = records
    self.taps = taps
    tiles = tables.tiles
    marksReads = tables.marksReads
    touched = TouchedTiles(
      records, tiles: tables.tiles, taps: taps.map(\.tile), layout: tables.layout,
      overlaps: tables.overlaps)
    histories = .allocate(capacity: max(1, touched.count))
    histories.initialize(repeating: History(), count: max(1, touched.count))
    starts = [0]
    starts.reserveCapacity(records.count + 1)
    marks = [UInt32](repeating: .max, count: records.count)
  }

  deinit { histories.deallocate() }

  mutating func run() {
    for op in records.indices {
      if records[op].kind == .data {
        find(op)
        enter(op)
      } else if records[op].kind.joinsQueues {
        // Whatever comes behind it comes behind all before.
        stretch += 1
        readers.removeAll(keepingCapacity: true)
        freeReader = -1
      }
      starts.append(UInt32(edges.count))
    }
  }

  /// Finds what a micro-op comes behind.
  private mutating func find(_ op: Int) {
    let record = records[op]
    for k in 0..<Int(record.operandCount) {
      let access = record.access(k)
      guard !access.isEmpty,
        let tile = touched.number(of: record.words[k], isFilled: access.contains(.zeroFill))
      else { continue }
      find(op, tile, access, record.words[k])
    }
    var tap = nextTap
    while tap < taps.count && taps[tap].op == op {
      if let tile = touched.number(of: taps[tap].tile, isFilled: false) {
        find(op, tile, .read, taps[tap].tile)
      }
      tap += 1
    }
  }

  @inline(__always)
  private mutating func find(_ op: Int, _ tile: Int, _ access: Access, _ own: UInt32) {
    let (reads, writes) = (access.contains(.read), access.contains(.write))
    var bits = reads ? ConflictGraph.flowBit : 0
    if marksReads && reads && tiles[Int(own)].space == .hbm { bits |= ConflictGraph.fenceBit }
    let tookOver = histories[tile].stretch == stretch ? histories[tile].writer : -1
    for entry in Int(touched.starts[tile])..<Int(touched.starts[tile + 1]) {
      let neighbour = Int(touched.neighbours[entry] & TouchedTiles.numberMask)
      if histories[neighbour].stretch != stretch { continue }
      // Bytes that were given back and taken again: who came behind those of the buffer before is the
      // one that all later ones come behind.
      if touched.neighbours[entry] & TouchedTiles.foreignBit != 0, tookOver >= 0,
        histories[neighbour].latest < tookOver
      {
        continue
      }
      var isDirect = histories[neighbour].writer >= 0
      if writes && histories[neighbour].reader >= 0 {
        // Each of them comes behind the writer.
        isDirect = isDirect && reads
        if histories[neighbour].readerCount > Self.mostReaders
          && touched.neighbours[entry] & TouchedTiles.coveredBit == 0
        {
          join(neighbour)
        }
        var reader = histories[neighbour].reader
        while reader >= 0 {
          add(readers[Int(reader)].node)
          reader = readers[Int(reader)].previous
        }
      }
      if isDirect {
        let writer = UInt32(histories[neighbour].writer)
        add(writer | bits | (forwards(writer, own, access) ? 0 : ConflictGraph.waitBit))
      }
    }
  }

  /// Whether a micro-op that touches a tile comes behind its writer without waiting for the result.
  private func forwards(_ writer: UInt32, _ tile: UInt32, _ access: Access) -> Bool {
    let record = records[Int(writer)]
    guard access.contains(.forward), record.forwardsResults else { return false }
    return (0..<Int(record.operandCount)).contains {
      record.access($0).contains(.write) && record.words[$0] == tile
    }
  }

  /// Adds an edge into the current micro-op.
  @inline(__always)
  private mutating func add(_ edge: Edge) {
    let node = edge & ConflictGraph.nodeMask
    let mark = marks[Int(node)]
    if mark >= starts[starts.count - 1] && mark < edges.count
      && edges[Int(mark)] & ConflictGraph.nodeMask == node
    {
      edges[Int(mark)] |= edge
    } else {
      marks[Int(node)] = UInt32(edges.count)
      edges.append(edge)
    }
  }

  // MARK: What comes next

  /// Remembers what a micro-op read and wrote.
  private mutating func enter(_ op: Int) {
    let record = records[op]
    for k in 0..<Int(record.operandCount) {
      let access = record.access(k)
      guard access.contains(.read), !access.contains(.write),
        let tile = touched.number(of: record.words[k], isFilled: access.contains(.zeroFill))
      else { continue }
      addReader(UInt32(op), of: tile)
    }
    for k in 0..<Int(record.operandCount) {
      let access = record.access(k)
      guard access.contains(.write),
        let tile = touched.number(of: record.words[k], isFilled: access.contains(.zeroFill))
      else { continue }
      for entry in Int(touched.starts[tile])..<Int(touched.starts[tile + 1])
      where touched.neighbours[entry] & TouchedTiles.coveredBit != 0 {
        clear(Int(touched.neighbours[entry] & TouchedTiles.numberMask))
      }
      histories[tile].writer = Int32(truncatingIfNeeded: op)
      histories[tile].latest = Int32(truncatingIfNeeded: op)
    }
    while nextTap < taps.count && taps[nextTap].op == op {
      if let tile = touched.number(of: taps[nextTap].tile, isFilled: false) {
        addReader(UInt32(op), of: tile)
      }
      nextTap += 1
    }
  }

  /// Forgets who touched a tile.
  private mutating func clear(_ tile: Int) {
    if histories[tile].stretch == stretch {
      var reader = histories[tile].reader
      while reader >= 0 {
        let previous = readers[Int(reader)].previous
        readers[Int(reader)].previous = freeReader
        freeReader = reader
        reader = previous
      }
    }
    histories[tile] = History(stretch: stretch)
  }

  private mutating func addReader(_ node: UInt32, of tile: Int) {
    if histories[tile].stretch != stretch { histories[tile] = History(stretch: stretch) }
    if Int(node) < records.count {
      histories[tile].latest = max(histories[tile].latest, Int32(truncatingIfNeeded: node))
    }
    let last = histories[tile].reader
    if last >= 0 && readers[Int(last)].node == node { return }
    let entry = Reader(node: node, previous: last)
    if freeReader >= 0 {
      let place = freeReader
      freeReader = readers[Int(place)].previous
      readers[Int(place)] = entry
      histories[tile].reader = place
    } else {
      histories[tile].reader = Int32(truncatingIfNeeded: readers.count)
      readers.append(entry)
    }
    histories[tile].readerCount += 1
  }

  private func queue(of node: UInt32) -> UInt8 {
    Int(node) < records.count
      ? records[Int(node)].queue.rawValue : joinQueues[Int(node) - records.count]
  }

  /// Lets the readers of a tile that are of one queue meet in a join.
  private mutating func join(_ tile: Int) {
    var byQueue = [[UInt32]](repeating: [], count: Queue.count)
    var reader = histories[tile].reader
    while reader >= 0 {
      byQueue[Int(queue(of: readers[Int(reader)].node))].append(readers[Int(reader)].node)
      reader = readers[Int(reader)].previous
    }
    let old = histories[tile]
    clear(tile)
    (histories[tile].writer, histories[tile].latest) = (old.writer, old.latest)
    for (queue, nodes) in byQueue.enumerated() where !nodes.isEmpty {
      guard nodes.count > 1 else {
        addReader(nodes[0], of: tile)
        continue
      }
      joinEdges += nodes
      joinStarts.append(UInt32(joinEdges.count))
      joinQueues.append(UInt8(queue))
      marks.append(.max)
      addReader(UInt32(records.count + joinQueues.count - 1), of: tile)
    }
  }

  // MARK: The graph

  consuming func graph() -> ConflictGraph {
    let base = UInt32(edges.count)
    return ConflictGraph(
      opCount: records.count, starts: starts + joinStarts.dropFirst().map { base + $0 },
      edges: edges + joinEdges, joinQueues: joinQueues)
  }
}
