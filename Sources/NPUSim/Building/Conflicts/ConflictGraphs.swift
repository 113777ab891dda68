/// The conflicts of all cores of a program: found once, for every order in which it is lowered.
struct ConflictGraphs: Sendable {
  private let graphs: [ConflictGraph]
  /// For each core the number of its graph: cores with the same conflicts have one. `nil` for a core
  /// that is kept as written.
  private let numbers: [Int?]

  /// What the operands of micro-ops touch.
  init(_ program: SequentialProgram) {
    self.init(program, ConflictTables(program, withTaps: false))
  }

  private init(_ program: SequentialProgram, _ tables: ConflictTables) {
    var graphs: [ConflictGraph] = []
    numbers = (0..<program.coreCount).map { core in
      if program.isKeptAsWritten(core: core) { return nil }
      let own = ConflictGraph(program, core: core, tables)
      if let twin = graphs.firstIndex(of: own) { return twin }
      graphs.append(own)
      return graphs.count - 1
    }
    self.graphs = graphs
  }

  private init(_ graphs: [ConflictGraph], _ numbers: [Int?]) {
    self.graphs = graphs
    self.numbers = numbers
  }

  subscript(core: Int) -> ConflictGraph? { numbers[core].map { graphs[$0] } }

  /// The same with what taps read, which keeps its order and makes no event.
  func withTaps(of program: SequentialProgram) -> ConflictGraphs {
    let tables = ConflictTables(program, withTaps: true)
    return tables.hasTaps ? ConflictGraphs(program, tables) : self
  }

  /// Those of a program whose every write has a place of its own.
  var flow: ConflictGraphs { ConflictGraphs(graphs.map(\.flow), numbers) }

  /// Bytes of its lists.
  var storageBytes: Int { graphs.reduce(0) { $0 + $1.storageBytes } }
}
