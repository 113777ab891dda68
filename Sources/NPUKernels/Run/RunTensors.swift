import NPUSim

/// The words that the datapath made: every input, intermediate and output of a run by name.
struct RunTensors: Sendable {
  /// Element bytes by tensor; scales under `NAME.scale`.
  private(set) var bytes: [String: [UInt8]] = [:]
  let specs: [TensorSpec]

  /// Collects taps and HBM tensors, which carry the kernel's tensor names.
  init(
    _ specs: [TensorSpec], program: Program, state: MachineState, taps: [TapTensor],
    inputs: [String: TensorValue]
  ) {
    self.specs = specs
    let updated = Set(specs.filter { $0.role == .updated }.map(\.name))
    for (name, value) in inputs where !updated.contains(name) {
      bytes[name] = value.payload
      if !value.scales.isEmpty { bytes[name + ".scale"] = value.scales }
    }
    for (index, buffer) in program.buffers.enumerated()
    where buffer.space == .hbm && bytes[buffer.name] == nil {
      let words = state.readTensor(UInt32(index))
      bytes[buffer.name] = words.payload
      if buffer.format == .mxint8 { bytes[buffer.name + ".scale"] = words.scales }
    }
    for tap in taps {
      bytes[tap.buffer.name] = tap.payload
      if tap.buffer.format == .mxint8 { bytes[tap.buffer.name + ".scale"] = tap.scales }
    }
  }

  /// The tensors as files hold them, in the order of the algorithm.
  func dump() throws(NPUError) -> TensorSet {
    var set = TensorSet()
    for spec in specs {
      guard let payload = bytes[spec.name] else { continue }
      let tensor = try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: payload)
      guard spec.format == .mxint8, let scales = bytes[spec.name + ".scale"] else {
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
