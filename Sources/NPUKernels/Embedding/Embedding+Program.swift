import NPUSim

// MARK: Schedule

extension Embedding {
  /// The micro-op program: rows are gathered into tiles of `ub` and stored from there.
  ///
  /// Throws `.tensor` for an id outside the vocabulary, with its token.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    let ids = indices["ids"]
    guard ids.count == tokens else {
      throw NPUError(.tensor, "ids has \(ids.count) elements, needed \(tokens): one a token")
    }
    if let token = ids.firstIndex(where: { $0 < 0 || Int($0) >= vocabulary }) {
      throw NPUError(
        .tensor, "token \(token) has id \(ids[token]), needed 0 to \(vocabulary - 1)",
        hint: "correct ids[\(token)], or give the vocabulary that the ids belong to with --vocab")
    }
    let table = try p.tensor("table", .bf16, rows: vocabulary, columns: hidden, role: .input)
    let out = try p.tensor("out", .bf16, rows: tokens, columns: hidden, role: .output)
    let list = p.indexList(ids, named: "ids")
    for core in 0..<machine.cores {
      p.begin(core: core)
      let tiles = plan.tiles(rows: tokens, columns: hidden, core: core, of: machine.cores)
      guard !tiles.isEmpty else { continue }
      let ring = try p.allocate(buffers).ring("rows", in: UB.self)
      for (index, place) in tiles.enumerated() {
        p.pushScope("tile", iteration: index)
        let tile = ring[index].tile(as: place)
        p.emit(
          GatherUB(
            tile,
            from: table.gathered(
              list, first: place.rows.lowerBound, rows: place.rows.count,
              column: place.columns.lowerBound, columns: place.columns.count)))
        p.emit(StoreHBM(out.tile(place), from: tile))
        p.popScope()
      }
    }
  }
}
