import NPUSim

/// The inputs of a run: from files where given, otherwise from the seed.
struct RunInputs: Sendable {
  private(set) var values: [String: TensorValue] = [:]
  /// NaN elements given, MXINT8 blocks with a NaN scale counted as one each.
  private(set) var nans = 0
  /// Infinite elements given.
  private(set) var infinities = 0

  /// Throws `.tensor` for values that a type does not hold or the kernel refuses.
  init(_ kernel: any Kernel, seed: UInt64, given: GivenInputs?) throws(NPUError) {
    for spec in kernel.tensors where spec.role.isGiven {
      let value = try Self.value(of: spec, kernel, seed: seed, given: given)
      try count(value, spec)
      values[spec.name] = value
    }
    try kernel.validate(values)
  }

  /// Given words. Throws as above.
  init(_ kernel: any Kernel, _ values: [String: TensorValue]) throws(NPUError) {
    self.values = values
    for spec in kernel.tensors {
      if let value = values[spec.name] { try count(value, spec) }
    }
    try kernel.validate(values)
  }

  /// The bytes of the inputs, for a machine that reads them where they are.
  var lent: [String: TensorBytes] {
    values.compactMapValues { TensorBytes(payload: $0.payload, scales: $0.scales) }
  }

  /// The words of one input: given, or from the seed.
  static func value(
    of spec: TensorSpec, _ kernel: any Kernel, seed: UInt64, given: GivenInputs?
  ) throws(NPUError) -> TensorValue {
    if let value = try given?.value(of: spec) { return value }
    return try generate(spec, kernel, seed: seed)
  }

  /// Counts what is not finite, so that the report can tell a NaN that was given from one that was
  /// made.
  private mutating func count(_ value: TensorValue, _ spec: TensorSpec) throws(NPUError) {
    switch value {
    case .mx(let tensor):
      nans += tensor.scale.storage.count { $0 == 0xFF }
    case .plain(let tensor) where tensor.dtype.isFloat:
      let found = tensor.nonFinite()
      nans += found.nans
      infinities += found.infinities
    case .plain: break
    }
  }

  private static func generate(
    _ spec: TensorSpec, _ kernel: any Kernel, seed: UInt64
  ) throws(NPUError) -> TensorValue {
    if let value = try kernel.seededInput(spec, seed: seed) { return value }
    let source = SeededInput(seed: seed, name: spec.name)
    switch spec.format {
    case .mxint8: return .mx(try HostEncoder.encode(source, spec))
    case .bf16: return .plain(try source.tensor(shape: spec.shape))
    case .f16, .f32, .e4m3fn, .e5m2:
      return .plain(try source.tensor(shape: spec.shape, dtype: spec.format.dtype))
    case .e8m0, .i8, .i32:
      throw NPUError(
        .tensor, "\(spec.name) is \(spec.format.name), which has no standard words from a seed",
        hint: "give it with --inputs")
    }
  }
}
