/// Named tensors in an order, with metadata: what one tensor file or folder holds.
public struct TensorSet: Sendable {
  /// The names, in the order the tensors were inserted or stand in their file.
  public private(set) var names: [String] = []
  private var tensors: [String: Tensor] = [:]
  /// Free text by key, such as the block axis `NAME.axis` of an MXINT8 tensor.
  public var metadata: [String: String] = [:]
  /// Where the set was read from, for messages.
  public var origin: String?

  /// An empty set.
  public init() {}

  /// The number of tensors.
  public var count: Int { names.count }

  /// The tensor of a name, if there is one.
  public subscript(name: String) -> Tensor? { tensors[name] }

  /// Adds a tensor at the end.
  ///
  /// - Throws: `.tensor` when the name is empty, reserved (`__metadata__`) or taken.
  public mutating func insert(_ tensor: Tensor, named name: String) throws(NPUError) {
    guard !name.isEmpty else { throw NPUError(.tensor, "a tensor has no name") }
    guard name != Self.metadataKey else {
      throw NPUError(.tensor, "\"\(name)\" names the metadata of a file and cannot name a tensor")
    }
    guard tensors[name] == nil else {
      throw NPUError(.tensor, "there are two tensors named \"\(name)\"\(place)")
    }
    tensors[name] = tensor
    names.append(name)
  }

  /// The tensor of a name that must be there.
  ///
  /// - Parameters:
  ///   - dtype: the type it must have, if any.
  ///   - shape: the shape it must have, if any.
  /// - Throws: `.tensor`, with the closest name when there is none of this name.
  public func tensor(
    named name: String, dtype: DType? = nil, shape: [Int]? = nil
  ) throws(NPUError) -> Tensor {
    guard let tensor = tensors[name] else {
      throw NPUError(
        .tensor, "there is no tensor \"\(name)\"\(place)",
        hint: DidYouMean.hint(for: name, among: names))
    }
    if let dtype, tensor.dtype != dtype {
      throw NPUError(
        .tensor,
        "tensor \"\(name)\"\(place) is \(tensor.dtype.rawValue); \(dtype.rawValue) is needed")
    }
    if let shape, tensor.shape != shape {
      throw NPUError(
        .tensor, "tensor \"\(name)\"\(place) has shape \(tensor.shape); \(shape) is needed")
    }
    return tensor
  }

  // MARK: MXINT8 pairs

  /// Whether NAME and NAME.scale are the two halves of an MXINT8 tensor, by their types.
  public func isMX(_ name: String) -> Bool {
    tensors[name]?.dtype == .i8 && tensors[Self.scaleName(name)]?.dtype == .e8m0
  }

  /// The MXINT8 tensor of a name: NAME and NAME.scale, blocks along `NAME.axis` or, where the
  /// metadata is silent, along the last axis; along `expectedAxis` (from the end) if only that fits
  /// the shape of the scales.
  ///
  /// - Throws: `.tensor` when a half is missing or the halves do not fit together.
  public func mxTensor(named name: String, expectedAxis: Int? = nil) throws(NPUError)
    -> MXTensor
  {
    let payload = try tensor(named: name, dtype: .i8)
    let scale = try tensor(named: Self.scaleName(name), dtype: .e8m0)
    var axis = -1
    if let text = metadata[Self.axisKey(name)] {
      guard let number = Int(text) else {
        throw NPUError(
          .tensor, "the metadata \"\(Self.axisKey(name))\"\(place) is \"\(text)\", not an integer")
      }
      axis = number
    } else if let expectedAxis,
      let fitting = try? MXTensor(payload: payload, scale: scale, axis: expectedAxis)
    {
      return fitting
    }
    do {
      return try MXTensor(payload: payload, scale: scale, axis: axis)
    } catch {
      throw NPUError(
        .tensor, "tensor \"\(name)\"\(place): \(error.message)",
        hint: "blocks run along the last axis unless the metadata \"\(Self.axisKey(name))\" "
          + "says otherwise")
    }
  }

  /// Adds both halves of an MXINT8 tensor, and its axis when that is not the last.
  ///
  /// - Throws: `.tensor` when one of the names cannot be taken; then nothing is added.
  public mutating func insert(_ tensor: MXTensor, named name: String) throws(NPUError) {
    var copy = self
    try copy.insert(tensor.payload, named: name)
    try copy.insert(tensor.scale, named: Self.scaleName(name))
    let fromEnd = tensor.axis - tensor.payload.rank
    copy.metadata[Self.axisKey(name)] = fromEnd == -1 ? nil : String(fromEnd)
    self = copy
  }

  static let metadataKey = "__metadata__"
  static let scaleSuffix = ".scale"
  static func scaleName(_ name: String) -> String { name + scaleSuffix }
  static func axisKey(_ name: String) -> String { name + ".axis" }

  private var place: String { origin.map { " in \($0)" } ?? "" }
}

extension TensorSet: Equatable {
  /// Same names in the same order, same tensors, same metadata; wherever they came from.
  public static func == (left: TensorSet, right: TensorSet) -> Bool {
    left.names == right.names && left.metadata == right.metadata && left.tensors == right.tensors
  }
}

// MARK: - Files

extension TensorSet {
  /// Reads a safetensors file, also from a pipe, or a folder of .npy files with its manifest.json.
  ///
  /// - Throws: `.io` when it cannot be read, `.tensor` when its content is at fault.
  public static func read(_ path: String) throws(NPUError) -> TensorSet {
    try TensorArchive(path).readAll()
  }

  /// Writes a safetensors file when `path` ends in `.safetensors` or is a pipe or a device, else a
  /// folder of .npy files with a manifest. File and folder appear complete or not at all.
  ///
  /// - Parameter force: whether an existing file, or tensor folder, may be replaced.
  /// - Throws: `.io` when it exists already or cannot be written.
  public func write(_ path: String, force: Bool) throws(NPUError) {
    if path.hasSuffix(".npy") || path.hasSuffix(".npz") {
      throw NPUError(
        .usage, "\(path) cannot hold several named tensors",
        hint: "give a name that ends in .safetensors, or a folder for one .npy each")
    }
    if path.hasSuffix(".safetensors") || AtomicFile.writesDirectly(path) {
      try Safetensors.write(self, to: path, force: force)
    } else {
      try TensorFolder.write(self, to: path, force: force)
    }
  }
}
