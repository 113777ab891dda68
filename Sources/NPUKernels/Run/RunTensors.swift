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
    let updated = Set(specs.filter { $0.role == .updated }.map(\.name))
    self.init(
      specs, program: program, memory: memory, taps: taps,
      known: inputs.filter { !updated.contains($0.key) })
  }

  /// As above, with the words of some tensors: they are not looked for in HBM.
  init(
    _ specs: [TensorSpec], program: Program, memory: FinishedMemory, taps: [TapTensor],
    known: [String: TensorValue]
  ) {
    self.specs = specs
    self.memory = memory
    for (name, value) in known {
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

  /// The words of a tensor that is no MXINT8. Throws `.tensor` where the run does not make it.
  func tensor(_ spec: TensorSpec) throws(NPUError) -> Tensor {
    guard let bytes = bytes(of: spec.name) else {
      throw NPUError(.tensor, "this run does not make \(spec.name)")
    }
    return try Tensor(dtype: spec.format.dtype, shape: spec.shape, storage: bytes)
  }

  /// The tensors as files hold them, in the order of the algorithm.
  func dump() throws(NPUError) -> TensorSet {
    var set = TensorSet()
    for spec in specs {
      guard let payload = bytes(of: spec.name) else { continue }
      let words = TensorWords(payload: payload, scales: bytes(of: spec.name + ".scale") ?? [])
      switch try TensorValue(spec, words) {
      case .plain(let tensor): try set.insert(tensor, named: spec.name)
      case .mx(let tensor): try set.insert(tensor, named: spec.name)
      }
    }
    return set
  }
}
