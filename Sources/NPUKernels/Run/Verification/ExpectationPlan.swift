import NPUSim

/// Which of somebody's tensors are compared with which of a run's; judged before anything is executed.
struct ExpectationPlan: Sendable {
  /// One tensor of a file beside one of the run.
  struct Pair: Sendable {
    var spec: TensorSpec
    /// The name in the run's dump: the tensor's, or `NAME.scale` for the scales alone.
    var name: String
    /// Whether the run's side are the numbers of an MXINT8 pair rather than words.
    var isDecoded = false
    var expected: ComparedTensor

    /// Whether a run is given the tensor and does not change it.
    var isInput: Bool { !spec.role.isMade }
  }

  let closeness: Closeness
  /// In the order of the algorithm.
  let pairs: [Pair]
  /// What of the file no tensor of the kernel is.
  let ignored: [RunReport.Ignored]

  /// - Throws: `.io` when the file cannot be read; `.tensor` for a shape or type that cannot be compared,
  ///   for a name that is close to one that would not be compared, and where nothing that the run makes
  ///   would be. With a strict source also for everything that the kernel does not have.
  init(
    _ specs: [TensorSpec], with source: TensorSource, _ closeness: Closeness
  ) throws(NPUError) {
    self.closeness = closeness
    let expect = try ExpectedTensors(specs, from: source)
    ignored = expect.ignored
    let origin = source.archive.origin ?? "the expected tensors"
    var pairs: [Pair] = []
    for spec in specs {
      for name in [spec.name] + spec.aliases {
        pairs += try Self.pairs(spec, named: name, in: expect.set, closeness, origin)
      }
    }
    self.pairs = pairs
    guard pairs.contains(where: { !$0.isInput && $0.expected.count > 0 }) else {
      let held = pairs.map(\.name)
      let results = specs.filter(\.role.isMade).map(\.name)
      throw NPUError(
        .tensor,
        "\(origin) holds "
          + (!held.isEmpty
            ? "only inputs (\(held.joined(separator: ", ")))"
            : ignored.isEmpty ? "no tensors" : "none of this kernel's tensors")
          + ": nothing that the run makes would be compared",
        hint: results.isEmpty
          ? "the program makes no tensor that could be compared: declare an .output or a .tap"
          : "what can be compared is \(results.joined(separator: ", "))"
            + (ignored.isEmpty ? "" : "; --map NAME=FILE_NAME says what the file calls it"))
    }
  }

  /// The tensor of one name in the file; an MXINT8 tensor may be there as a pair, as numbers, or in part.
  private static func pairs(
    _ spec: TensorSpec, named name: String, in expect: TensorSet, _ closeness: Closeness,
    _ origin: String
  ) throws(NPUError) -> [Pair] {
    guard spec.format == .mxint8 else {
      guard let tensor = expect[name] else { return [] }
      let pair = Pair(spec: spec, name: spec.name, expected: .words(tensor))
      try require(spec.shape, spec.format.dtype, tensor, pair.name, closeness, origin)
      return [pair]
    }
    if closeness != .bits, let tensor = expect[name],
      let numbers = try numbers(of: spec, named: name, tensor, in: expect)
    {
      guard tensor.shape == spec.shape else {
        throw mismatch(spec.name, "MXINT8", spec.shape, tensor, origin, closeness)
      }
      return [Pair(spec: spec, name: spec.name, isDecoded: true, expected: numbers)]
    }
    var scaleShape = spec.shape
    let axis = scaleShape.count + spec.fileAxis
    scaleShape[axis] = (scaleShape[axis] + 31) / 32
    let halves = [
      (suffix: "", shape: spec.shape, dtype: DType.i8),
      (suffix: ".scale", shape: scaleShape, dtype: DType.e8m0),
    ]
    var pairs: [Pair] = []
    for half in halves {
      guard let tensor = expect[name + half.suffix] else { continue }
      let pair = Pair(spec: spec, name: spec.name + half.suffix, expected: .words(tensor))
      try require(half.shape, half.dtype, tensor, pair.name, closeness, origin)
      pairs.append(pair)
    }
    return pairs
  }

  /// The numbers that a file has for an MXINT8 tensor: decoded, or as they are, and those of an input
  /// encoded as a run would; `nil` for halves of a pair.
  private static func numbers(
    of spec: TensorSpec, named name: String, _ tensor: Tensor, in expect: TensorSet
  ) throws(NPUError) -> ComparedTensor? {
    if expect.isMX(name) {
      let pair = try expect.mxTensor(named: name, expectedAxis: spec.fileAxis)
      return .numbers(pair.floats(), type: spec.format.name.uppercased())
    }
    guard tensor.dtype.isFloat else { return nil }
    guard !spec.role.isMade, tensor.shape == spec.shape else { return .words(tensor) }
    return .numbers(
      try HostEncoder.encode(tensor.floats(), spec).floats(), type: tensor.dtype.rawValue)
  }

  private static func require(
    _ shape: [Int], _ dtype: DType, _ tensor: Tensor, _ name: String, _ closeness: Closeness,
    _ origin: String
  ) throws(NPUError) {
    let isComparable =
      closeness == .bits ? tensor.dtype == dtype : tensor.dtype.isFloat == dtype.isFloat
    guard tensor.shape == shape, isComparable else {
      throw mismatch(name, dtype.rawValue, shape, tensor, origin, closeness)
    }
  }

  private static func mismatch(
    _ name: String, _ type: String, _ shape: [Int], _ tensor: Tensor, _ origin: String,
    _ closeness: Closeness
  ) -> NPUError {
    NPUError(
      .tensor,
      "\(origin): \(name) is \(tensor.dtype.rawValue) \(tensor.shape), this run makes "
        + "\(type) \(shape)",
      hint: tensor.shape != shape
        ? "give the shape flags that match the file"
        : closeness == .bits
          ? "--bits compares words of one type; without it values are compared"
          : "integers are compared with integers, and real numbers with real numbers")
  }
}
