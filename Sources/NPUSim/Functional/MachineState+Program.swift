extension MachineState {
  /// Memories just large enough for a program, with the settings of its machine.
  ///
  /// HBM tensors whose whole bytes are in `lending`, and that the program does not write, are read
  /// where they are; see ``isLent(_:)``.
  public convenience init(_ program: Program, lending: [String: TensorBytes] = [:]) {
    self.init(
      buffers: program.buffers, indexLists: program.indexLists, cores: program.cores.count,
      settings: DatapathSettings(program.machine), lent: Self.lent(lending, to: program))
  }

  /// Memories for a program some of whose HBM tensors are those of `storages`, by name: they are read and
  /// written where they are.
  ///
  /// Throws `.tensor` where a tensor of the program has another number of bytes.
  public convenience init(
    _ program: Program, storages: [String: TensorStorage]
  ) throws(NPUError) {
    var bound: [UInt32: TensorStorage] = [:]
    for (index, buffer) in program.buffers.enumerated() where buffer.space == .hbm {
      guard let storage = storages[buffer.name] else { continue }
      let form = storage.form
      guard form.payloadBytes == buffer.payloadExtent, form.scaleBytes == buffer.scaleExtent else {
        throw NPUError(
          .tensor,
          "tensor \(buffer.name): found \(form.payloadBytes) payload and \(form.scaleBytes) scale "
            + "bytes, needed \(buffer.payloadExtent) and \(buffer.scaleExtent)")
      }
      bound[UInt32(index)] = storage
    }
    self.init(
      buffers: program.buffers, indexLists: program.indexLists, cores: program.cores.count,
      settings: DatapathSettings(program.machine), bound: bound)
  }

  /// What of `lending` can be read in place, by buffer: nothing if tensors share bytes.
  private static func lent(
    _ lending: [String: TensorBytes], to program: Program
  ) -> [UInt32: TensorBytes] {
    guard !lending.isEmpty else { return [:] }
    var reach = 0
    let spans = program.buffers.filter { $0.space == .hbm }.flatMap {
      [($0.base, $0.payloadExtent), ($0.scaleBase, $0.scaleExtent)]
    }.filter { $0.1 > 0 }
    for (start, count) in spans.sorted(by: { $0.0 < $1.0 }) {
      if start < reach { return [:] }
      reach = start + count
    }
    var isWritten = [Bool](repeating: false, count: program.buffers.count)
    for record in program.cores.joined() where record.accessBits & 0x222222 != 0 {
      for k in 0..<Int(record.operandCount) where record.access(k).contains(.write) {
        isWritten[Int(program.tiles[Int(record.words[k])].buffer)] = true
      }
    }
    var lent: [UInt32: TensorBytes] = [:]
    for (index, buffer) in program.buffers.enumerated()
    where buffer.space == .hbm && !isWritten[index] {
      guard let bytes = lending[buffer.name], bytes.fit(buffer) else { continue }
      lent[UInt32(index)] = bytes
    }
    return lent
  }
}
