/// Reading and writing .npy files, one array each.
///
/// NumPy has no BF16, FP8 or E8M0, so their raw words travel as unsigned integers (`<u2`, `|u1`),
/// which is also how they are written; the types that ml_dtypes arrays are saved as (`<V2`, `<V1`,
/// `|V2`, `|V1`, and `<f1` for E5M2) are read too. A single file does not say which type its raw
/// words are: `<u2` and `V2` are taken for BF16, one-byte words need to be told.
public enum Npy {
  /// Reads a file; the words are copied once, from the file into the tensor.
  ///
  /// - Parameters:
  ///   - path: an .npy file of version 1.0, 2.0 or 3.0, in C order.
  ///   - dtype: what the words are; `nil` to go by the file alone.
  /// - Throws: `.io` when the file cannot be read, `.tensor` when it is not a valid one or its words
  ///   cannot be of that type.
  public static func read(_ path: String, as dtype: DType? = nil) throws(NPUError) -> Tensor {
    let file = try FileReader(path)
    let prefix = try file.bytes(0..<min(NpyHeader.preambleCount, file.size))
    let start = try NpyHeader.dataStart(prefix: prefix, size: file.size, file: path)
    let header = try NpyHeader(
      file.bytes(start.text..<start.data), offset: start.text, file: path)
    let type = try check(header, as: dtype, dataCount: file.size - start.data, file: path)
    return try Tensor(
      dtype: type, shape: header.shape,
      storage: file.bytes(start.data..<file.size, room: Tensor.room))
  }

  /// What a file holds, from its header alone; what is wrong with it is the fault of the entry.
  ///
  /// - Parameters:
  ///   - dtype: what the words are; `nil` to go by the file alone.
  ///   - type: how messages spell the type; `nil` for the file's own spelling.
  static func entry(
    _ path: String, named name: String, as dtype: DType?, type: String? = nil
  ) -> TensorArchive.Entry {
    var entry = TensorArchive.Entry(
      name: name, type: type ?? "?", shape: [], candidates: [], fault: nil, place: .file(path))
    do throws(NPUError) {
      let file = try FileReader(path)
      let prefix = try file.bytes(0..<min(NpyHeader.preambleCount, file.size))
      let start = try NpyHeader.dataStart(prefix: prefix, size: file.size, file: path)
      let header = try NpyHeader(
        file.bytes(start.text..<start.data), offset: start.text, file: path)
      let possible = dtype.map { [$0] } ?? candidates(header.descriptor)
      entry = TensorArchive.Entry(
        name: name, type: type ?? header.descriptor, shape: header.shape, candidates: possible,
        fault: nil, place: .file(path))
      // Any of the possible types will do: they have the same size.
      _ = try check(header, as: possible.first, dataCount: file.size - start.data, file: path)
    } catch {
      entry.fault = error
    }
    return entry
  }

  /// The error of words that may be several types.
  static func ambiguous(_ entry: TensorArchive.Entry) -> NPUError {
    guard case .file(let path) = entry.place else {
      return NPUError(.tensor, "tensor \"\(entry.name)\" may be of several types")
    }
    return ambiguous(entry.type, entry.candidates, file: path)
  }

  private static func ambiguous(
    _ descriptor: String, _ candidates: [DType], file: String
  ) -> NPUError {
    NPUError(
      .tensor,
      "\(file) holds bytes of type '\(descriptor)', which may be "
        + candidates.map(\.rawValue).joined(separator: ", "),
      hint: "name the dtype in the manifest")
  }

  /// Reads a file that is already in memory; see ``read(_:as:)``.
  public static func decode(
    _ bytes: [UInt8], file: String, as dtype: DType? = nil
  ) throws(NPUError) -> Tensor {
    let start = try NpyHeader.dataStart(
      prefix: Array(bytes.prefix(NpyHeader.preambleCount)), size: bytes.count, file: file)
    let header = try NpyHeader(
      Array(bytes[start.text..<start.data]), offset: start.text, file: file)
    let type = try check(header, as: dtype, dataCount: bytes.count - start.data, file: file)
    return try Tensor(dtype: type, shape: header.shape, storage: Array(bytes[start.data...]))
  }

  /// Writes a file, which appears complete or not at all.
  ///
  /// - Parameter force: whether an existing file may be replaced.
  /// - Throws: `.io` when the file exists and `force` is false, or cannot be written.
  public static func write(
    _ tensor: Tensor, to path: String, force: Bool
  ) throws(NPUError) {
    var file = try AtomicFile(path, force: force)
    try file.write(header(of: tensor).encoded)
    try file.write(tensor.storage)
    try file.commit()
  }

  /// The bytes of a file, the same that numpy.save writes.
  public static func encode(_ tensor: Tensor) -> [UInt8] {
    header(of: tensor).encoded + tensor.storage
  }

  private static func header(of tensor: Tensor) -> NpyHeader {
    NpyHeader(
      descriptor: descriptor(of: tensor.dtype), isFortranOrder: false, shape: tensor.shape)
  }

  private static func descriptor(of dtype: DType) -> String {
    switch dtype {
    case .bf16: "<u2"
    case .f16: "<f2"
    case .f32: "<f4"
    case .i8: "|i1"
    case .i32: "<i4"
    case .f64: "<f8"
    case .i64: "<i8"
    case .e4m3fn, .e5m2, .e8m0: "|u1"
    }
  }

  /// The types that words of a descriptor may be.
  private static func candidates(_ descriptor: String) -> [DType] {
    switch descriptor {
    case "<f8": [.f64]
    case "<f4": [.f32]
    case "<f2": [.f16]
    case "<i8": [.i64]
    case "<i4": [.i32]
    case "|i1": [.i8]
    case "<u2", "<V2", "|V2": [.bf16]
    case "<f1": [.e5m2]
    case "|u1", "<V1", "|V1": [.e4m3fn, .e5m2, .e8m0]
    default: []
    }
  }

  /// Checks a header against what is wanted and the size of the data; returns the type.
  private static func check(
    _ header: NpyHeader, as wanted: DType?, dataCount: Int, file: String
  ) throws(NPUError) -> DType {
    let descriptor = header.descriptor
    let candidates = candidates(descriptor)
    guard let first = candidates.first else {
      throw NPUError(
        .tensor, "\(file) holds elements of type '\(descriptor)', which is not supported",
        hint: "supported: <f8, <f4, <f2, <i8, <i4, |i1, <u2 (BF16), |u1 (FP8, E8M0); "
          + "convert with .astype before saving")
    }
    if let wanted, !candidates.contains(wanted) {
      throw NPUError(
        .tensor, "\(file) holds elements of type '\(descriptor)', not \(wanted.rawValue)")
    }
    guard let dtype = wanted ?? (candidates.count == 1 ? first : nil) else {
      throw ambiguous(descriptor, candidates, file: file)
    }
    guard !header.isFortranOrder else {
      throw NPUError(
        .tensor, "\(file) is stored in Fortran order; C order is needed",
        hint: "save numpy.ascontiguousarray(x)")
    }
    let needed: Int
    do {
      needed = try Tensor.byteCount(dtype, header.shape)
    } catch {
      throw NPUError(error.category, "\(file): \(error.message)")
    }
    guard dataCount == needed else {
      let fault = dataCount < needed ? "is truncated" : "is too long"
      throw NPUError(
        .tensor,
        "\(file) \(fault): '\(descriptor)' of shape \(header.shape) takes \(needed) bytes, "
          + "\(dataCount) follow the header")
    }
    return dtype
  }
}
