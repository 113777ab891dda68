import NPUSim

/// The words that the datapath made: every input, intermediate and output of a run by name.
struct RunTensors: Sendable {
  /// Where the bytes of a tensor are.
  private enum Place {
    case array([UInt8])
    /// In the machine's HBM, by buffer.
    case payload(UInt32)
    case scales(UInt32)
  }

  /// By tensor; scales under `NAME.scale`.
  private var places: [String: Place] = [:]
  private let memory: FinishedMemory
  let specs: [TensorSpec]

  /// Collects taps and HBM tensors, which carry the kernel's tensor names.
  init(
    _ specs: [TensorSpec], program: Program, memory: FinishedMemory, taps: [TapTensor],
    inputs: [String: TensorValue]
  ) {
    self.specs = specs
    self.memory = memory
    let updated = Set(specs.filter { $0.role == .updated }.map(\.name))
    for (name, value) in inputs where !updated.contains(name) {
      places[name] = .array(value.payload)
      if !value.scales.isEmpty { places[name + ".scale"] = .array(value.scales) }
    }
    for (index, buffer) in program.buffers.enumerated()
    where buffer.space == .hbm && places[buffer.name] == nil {
      places[buffer.name] = .payload(UInt32(index))
      if buffer.format == .mxint8 { places[buffer.name + ".scale"] = .scales(UInt32(index)) }
    }
    for tap in taps {
      places[tap.buffer.name] = .array(tap.payload)
      if tap.buffer.format == .mxint8 { places[tap.buffer.name + ".scale"] = .array(tap.scales) }
    }
  }

  /// Lends the bytes of a tensor, `nil` if there is none of the name. Scales are `NAME.scale`.
  func withBytes<Result>(
    of name: String, _ body: (UnsafeRawBufferPointer) -> Result
  ) -> Result? {
    switch places[name] {
    case .array(let bytes): bytes.withUnsafeBytes(body)
    case .payload(let id): memory.withTensor(id) { payload, _ in body(payload) }
    case .scales(let id): memory.withTensor(id) { _, scales in body(scales) }
    case nil: nil
    }
  }

  /// The bytes of a tensor, copied unless they are an array already.
  private func bytes(of name: String) -> [UInt8]? {
    if case .array(let bytes) = places[name] { return bytes }
    return withBytes(of: name) { Array($0) }
  }

  /// The tensors as files hold them, in the order of the algorithm.
  func dump() throws(NPUError) -> TensorSet {
    var set = TensorSet()
    for spec in specs {
      guard let payload = bytes(of: spec.name) else { continue }
      let tensor = try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: payload)
      guard spec.format == .mxint8, let scales = bytes(of: spec.name + ".scale") else {
        try set.insert(tensor, named: spec.name)
        continue
      }
      var shape = spec.shape
      let axis = shape.count + spec.fileAxis
      shape[axis] = (shape[axis] + 31) / 32
      try set.insert(
        MXTensor(
          payload: tensor, scale: Tensor(dtype: .e8m0, shape: shape, storage: scales),
          axis: spec.fileAxis), named: spec.name)
    }
    return set
  }
}
