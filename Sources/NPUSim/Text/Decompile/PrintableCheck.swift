/// Whether a program can be stated as text, and where its buffers need an address.
struct PrintableCheck {
  private let program: Program

  init(_ program: Program) { self.program = program }

  /// Whether the tensors come first and then each core's buffers, in order of the cores.
  static func declaresInOrder(_ buffers: [Buffer]) -> Bool {
    var last: Int32 = -1
    for buffer in buffers {
      if buffer.core < last { return false }
      last = buffer.core
    }
    return true
  }

  /// For each buffer, its address where it is not placed behind the ones before it.
  ///
  /// Throws `.program` where the text could not give the same program.
  func addresses() throws(NPUError) -> [Int?] {
    var allocator = BufferAllocator(machine: program.machine)
    var names: Set<String> = []
    var result: [Int?] = []
    for buffer in program.buffers {
      try name(buffer.name)
      guard names.insert("\(buffer.core) \(buffer.space.name) \(buffer.name)").inserted else {
        throw Self.error("two buffers of \(buffer.space.name) are named '\(buffer.name)'")
      }
      result.append(try place(buffer, &allocator))
    }
    var taps: Set<String> = []
    for tensor in program.tapTensors {
      try name(tensor.name)
      guard taps.insert(tensor.name).inserted else {
        throw Self.error("two tap tensors are named '\(tensor.name)'")
      }
    }
    for label in program.scopeLabels + program.opNames { try name(label) }
    for tile in program.tiles { try check(tile) }
    for tap in program.taps {
      try check(tap.tile)
      guard program.tapTensors.indices.contains(tap.tensor) else {
        throw Self.error("a tap names a tensor that there is not")
      }
      let wrong = tap.defect(
        into: program.tapTensors[tap.tensor], TileLayout(program),
        named: program.describe(tap.tile))
      if let wrong { throw Self.error(wrong) }
      guard program.cores.indices.contains(tap.core),
        program.cores[tap.core].indices.contains(tap.op),
        program.cores[tap.core][tap.op].kind == .data
      else { throw Self.error("a tap does not follow a micro-op that works on values") }
    }
    for (core, records) in program.cores.enumerated() {
      for record in records { try check(record, core) }
    }
    return result
  }

  private static func error(_ message: String) -> NPUError {
    NPUError(.program, "\(message): the text form cannot state that")
  }

  private func name(_ name: String) throws(NPUError) {
    guard name.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
      throw Self.error("the name '\(name)' has control characters")
    }
  }

  private func place(_ buffer: Buffer, _ allocator: inout BufferAllocator) throws(NPUError) -> Int?
  {
    if buffer.space == .hbm {
      let made = try allocator.tensor(
        buffer.name, buffer.format, slots: buffer.slots, rows: buffer.rows,
        columns: buffer.columns, axis: buffer.axis, role: buffer.role)
      guard made == buffer else { throw Self.error("tensor '\(buffer.name)' is not dense") }
      return nil
    }
    guard buffer.core >= 0, buffer.core < max(1, program.machine.cores) else {
      throw Self.error("buffer '\(buffer.name)' belongs to core \(buffer.core)")
    }
    for address in [nil, buffer.base] {
      var trial = allocator
      let made = try trial.buffer(PlannedBuffer(buffer), core: Int(buffer.core), at: address)
      guard made == buffer else { continue }
      allocator = trial
      return address
    }
    throw Self.error("buffer '\(buffer.name)' has a layout of its own")
  }

  private func check(_ tile: TileRef) throws(NPUError) {
    guard Int(tile.buffer) < program.buffers.count else {
      throw Self.error("a tile lies in no buffer")
    }
    let buffer = program.buffers[Int(tile.buffer)]
    guard tile.format == buffer.format, tile.axis == buffer.axis, tile.space == buffer.space,
      Int(tile.indexList) <= program.indexLists.count
    else {
      throw Self.error("a tile of '\(buffer.name)' has another format or memory than it")
    }
  }

  private func check(_ record: OpRecord, _ core: Int) throws(NPUError) {
    guard Int(record.opcode) < program.catalogue.entries.count else {
      throw Self.error("a record has no micro-op")
    }
    guard Int(record.operandCount) <= OpRecord.maximumOperands else {
      throw Self.error("a record has more operands than one may")
    }
    for k in 0..<Int(record.operandCount) where !record.access(k).isEmpty {
      guard Int(record.words[k]) < program.tiles.count else {
        throw Self.error("a record names no tile")
      }
      let tile = program.tiles[Int(record.words[k])]
      let owner = program.buffers[Int(tile.buffer)].core
      guard owner < 0 || Int(owner) == core else {
        throw Self.error("core \(core) uses a buffer of core \(owner)")
      }
    }
  }
}
