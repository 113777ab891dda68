/// The conflicts of all cores of a program: found once, for every order in which it is lowered.
struct ConflictGraphs: Sendable {
  /// `nil` for a core that is kept as written. Cores with the same conflicts have one graph.
  private let cores: [ConflictGraph?]

  /// What the operands of micro-ops touch.
  init(_ program: SequentialProgram) {
    self.init(program, ConflictTables(program, withTaps: false))
  }

  private init(_ program: SequentialProgram, _ tables: ConflictTables) {
    var cores: [ConflictGraph?] = []
    var distinct: [ConflictGraph] = []
    for core in 0..<program.coreCount {
      guard !program.isKeptAsWritten(core: core) else {
        cores.append(nil)
        continue
      }
      let own = ConflictGraph(program, core: core, tables)
      let twin = distinct.first { $0 == own }
      if twin == nil { distinct.append(own) }
      cores.append(twin ?? own)
    }
    self.cores = cores
  }

  subscript(core: Int) -> ConflictGraph? { cores[core] }

  /// The same with what taps read, which keeps its order and makes no event.
  func withTaps(of program: SequentialProgram) -> ConflictGraphs {
    let tables = ConflictTables(program, withTaps: true)
    return tables.hasTaps ? ConflictGraphs(program, tables) : self
  }
}
