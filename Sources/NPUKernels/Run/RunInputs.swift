import NPUSim

/// The inputs of a run: from files where given, otherwise from the seed.
struct RunInputs: Sendable {
  private(set) var values: [String: TensorValue] = [:]
  /// NaN elements given, MXINT8 blocks with a NaN scale counted as one each.
  private(set) var nans = 0
  /// Infinite elements given.
  private(set) var infinities = 0

  /// Throws `.tensor` for a tensor of the wrong shape or type, naming what was found and needed, and
  /// for a name that the kernel does not have.
  init(_ kernel: any Kernel, seed: UInt64, files: TensorSet?) throws(NPUError) {
    let specs = kernel.tensors
    if let files { try Self.checkNames(files, specs) }
    for spec in specs where spec.role.isGiven {
      let value = try Self.value(of: spec, kernel, seed: seed, files: files)
      try count(value, spec)
      values[spec.name] = value
    }
    try kernel.validate(values)
  }

  /// The words of one input. Throws `.tensor` for a file's tensor of the wrong shape or type.
  static func value(
    of spec: TensorSpec, _ kernel: any Kernel, seed: UInt64, files: TensorSet?
  ) throws(NPUError) -> TensorValue {
    if let files, let name = Self.name(of: spec, in: files) {
      return try read(spec, named: name, from: files)
    }
    return try generate(spec, kernel, seed: seed)
  }

  /// The name under which a file holds a tensor: its own or another that is accepted for it.
  private static func name(of spec: TensorSpec, in files: TensorSet) -> String? {
    ([spec.name] + spec.aliases).first { files[$0] != nil }
  }

  private static func checkNames(_ files: TensorSet, _ specs: [TensorSpec]) throws(NPUError) {
    let names = specs.flatMap { $0.format == .mxint8 ? [$0.name, $0.name + ".scale"] : [$0.name] }
    let known = Set(names + specs.flatMap(\.aliases))
    for name in files.names where !known.contains(name) {
      let near = DidYouMean.suggest(name, among: names)
      throw NPUError(
        .tensor, "\(files.origin ?? "the inputs"): no tensor of this kernel is named '\(name)'",
        hint: near.map { "did you mean \($0)?" }
          ?? "its tensors are \(names.joined(separator: ", "))"
      )
    }
    let inputs = specs.filter(\.role.isGiven)
    if inputs.allSatisfy({ name(of: $0, in: files) == nil }) {
      throw NPUError(
        .tensor, "\(files.origin ?? "the inputs"): found no input of this kernel",
        hint: "name at least one of \(inputs.map(\.name).joined(separator: ", "))")
    }
  }

  private static func read(
    _ spec: TensorSpec, named name: String, from files: TensorSet
  ) throws(NPUError) -> TensorValue {
    guard let tensor = files[name] else {
      throw NPUError(.tensor, "\(name) is missing")
    }
    let origin = files.origin.map { "\($0): " } ?? ""
    guard tensor.shape == spec.shape else {
      throw NPUError(
        .tensor, "\(origin)\(spec.name) has shape \(tensor.shape), needed \(spec.shape)",
        hint: "give the shape flags that match the file, or another file")
    }
    if spec.format == .mxint8 {
      if tensor.dtype == .i8 {
        let mx = try files.mxTensor(named: spec.name, expectedAxis: spec.fileAxis)
        let axis = mx.axis < 0 ? mx.axis : mx.axis - spec.shape.count
        guard axis == spec.fileAxis else {
          throw NPUError(
            .tensor,
            "\(origin)\(spec.name) has its blocks along axis \(mx.axis), needed \(spec.fileAxis)",
            hint: "state the axis in the metadata: \"\(spec.name).axis\": \"\(spec.fileAxis)\"")
        }
        return .mx(mx)
      }
      guard tensor.dtype.isFloat else { throw wrongType(spec, tensor, origin) }
      return .mx(try HostEncoder.encode(tensor.floats(), spec))
    }
    guard tensor.dtype == spec.format.dtype else { throw wrongType(spec, tensor, origin) }
    return .plain(tensor)
  }

  private static func wrongType(_ spec: TensorSpec, _ tensor: Tensor, _ origin: String) -> NPUError
  {
    let needed =
      spec.format == .mxint8
      ? "I8 with \(spec.name).scale, or a float type to be encoded" : spec.format.dtype.rawValue
    return NPUError(
      .tensor, "\(origin)\(spec.name) is \(tensor.dtype.rawValue), needed \(needed)")
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
