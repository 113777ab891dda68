extension SequentialProgram {
  /// Throws `.limit` where there were more micro-ops than can be kept.
  public func requireWhole() throws(NPUError) { try tables.requireWhole() }

  /// What is wrong with the micro-ops and their layout.
  public var defects: [ProgramDefect] { tables.defects }

  /// The micro-ops in written order without what will order them; `nil` where a core has events of its
  /// own, or barriers that no text with `.sync auto` may have.
  var unordered: Program? {
    var program = tables
    for core in 0..<coreCount {
      let records = records(ofCore: core)
      guard !isKeptAsWritten(core: core),
        records.allSatisfy({ $0.kind == .data || $0.kind == .barrierCores })
      else { return nil }
      program.cores.append(records)
    }
    program.taps.sort { ($0.core, $0.op) < ($1.core, $1.op) }
    return program
  }
}
