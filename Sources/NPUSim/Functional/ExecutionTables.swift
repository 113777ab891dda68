/// What all cores of a run share: the program, its micro-ops' code and its taps.
struct ExecutionTables {
  let program: Program
  let recorder: TapRecorder
  let progress: (@Sendable (Int) -> Void)?
  private let code: [@Sendable (OpRecord, UnsafePointer<TileRef>, inout Datapath) -> Void]
  /// The program's tiles, never empty.
  private let tiles: [TileRef]

  init(_ program: Program, progress: (@Sendable (Int) -> Void)? = nil) throws(NPUError) {
    self.program = program
    self.progress = progress
    recorder = try TapRecorder(program)
    code = program.catalogue.entries.map(\.execute)
    tiles = program.tiles.isEmpty ? [Tile<UB>.placeholder.ref] : program.tiles
  }

  /// Executes a data micro-op.
  @inline(__always)
  func execute(_ record: OpRecord, _ datapath: inout Datapath) {
    tiles.withUnsafeBufferPointer { tiles in
      if let base = tiles.baseAddress { code[Int(record.opcode)](record, base, &datapath) }
    }
  }
}

extension Program {
  /// The error of a read of a byte that was never written.
  func error(_ fault: PoisonFault, core: Int, op: Int) -> NPUError {
    let record = cores[core][op]
    let layout = TileLayout(self)
    let byte = Region(plane: fault.plane, base: fault.address, pitch: 1, runBytes: 1, rows: 1)
    var tile: TileRef?
    for k in 0..<Int(record.operandCount) where tile == nil && record.access(k).contains(.read) {
      let candidate = tiles[Int(record.words[k])]
      if candidate.buffer == fault.buffer,
        layout.regions(candidate).contains(where: { $0.overlaps(byte) })
      {
        tile = candidate
      }
    }
    let name = buffers.indices.contains(Int(fault.buffer)) ? buffers[Int(fault.buffer)].name : "?"
    let place = tile.map { " of \(describe($0))" } ?? ""
    let plane = fault.plane == Plane(payloadOf: fault.plane.space) ? "" : " scale"
    return NPUError(
      .program,
      "I001 uninitialised read: \(describe(Finding.Site(core: core, op: op))) reads "
        + "\(fault.plane.space.name)\(plane) byte \(fault.address)\(place), buffer \(name), "
        + "which was never written",
      hint: "write \(name) before this micro-op, or narrow the tile to what was written")
  }

  /// Refuses a program that cannot be executed in these memories.
  func checkExecutable(_ state: MachineState) throws(NPUError) {
    if let defect = defects.first {
      let more = defects.count > 1 ? " (and \(defects.count - 1) more)" : ""
      throw NPUError(
        .program, "the program has a defect, \(defect.code.rawValue): \(defect.message)\(more)",
        hint: defect.fix)
    }
    if let opaque = firstOpaque { throw withoutValues(opaque) }
    guard state.buffers == buffers, state.coreCount >= cores.count else {
      throw NPUError(
        .program, "the memories were made for another program",
        hint: "make them with MachineState(program)")
    }
  }
}
