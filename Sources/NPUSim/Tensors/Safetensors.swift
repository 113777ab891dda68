/// Reading and writing safetensors files: eight bytes of header size, a JSON header, the data.
///
/// The reader holds every file to the format: the data of the tensors must fill the rest of the
/// file without gap or overlap, sizes must follow from type and shape, no name may appear twice.
/// The writer lays the tensors out as the reference implementation does (widest elements first,
/// then by name; header padded with spaces to a multiple of eight), so equal sets give equal bytes.
/// The order of the tensors in a ``TensorSet`` does not survive writing; their order in a file does
/// survive reading.
public enum Safetensors {
  /// The largest header accepted, in bytes; the limit of the reference implementation.
  public static let headerLimit = 100_000_000

  /// Reads a file; each tensor is copied once, from the file into its own storage.
  ///
  /// - Throws: `.io` when the file cannot be read, `.tensor` when it is not a valid one.
  public static func read(_ path: String) throws(NPUError) -> TensorSet {
    try TensorArchive(safetensors: path).readAll()
  }

  /// Reads a file that is already in memory.
  ///
  /// - Parameter file: the name to report.
  /// - Throws: `.tensor` when the bytes are not a valid file.
  public static func decode(_ bytes: [UInt8], file: String) throws(NPUError) -> TensorSet {
    let dataStart = try SafetensorsHeader.dataStart(
      prefix: Array(bytes.prefix(8)), size: bytes.count, file: file)
    let header = try SafetensorsHeader(
      json: Array(bytes[8..<dataStart]), dataCount: bytes.count - dataStart, file: file)
    var set = TensorSet()
    set.origin = file
    set.metadata = header.metadata
    for entry in header.entries {
      if let fault = entry.fault { throw fault }
      guard let dtype = DType(rawValue: entry.type) else { continue }
      let storage = Array(bytes[(dataStart + entry.begin)..<(dataStart + entry.end)])
      try set.insert(
        Tensor(dtype: dtype, shape: entry.shape, storage: storage), named: entry.name)
    }
    return set
  }

  /// Writes a file, which appears complete or not at all.
  ///
  /// - Parameter force: whether an existing file may be replaced.
  /// - Throws: `.io` when the file exists and `force` is false, or cannot be written; `.limit` when
  ///   the header would exceed ``headerLimit``.
  public static func write(
    _ set: TensorSet, to path: String, force: Bool
  ) throws(NPUError) {
    let (header, order) = try layout(set)
    var file = try AtomicFile(path, force: force)
    try file.write(header)
    for tensor in order { try file.write(tensor.storage) }
    try file.commit()
  }

  /// The bytes of a file.
  ///
  /// - Throws: `.limit` when the header would exceed ``headerLimit``.
  public static func encode(_ set: TensorSet) throws(NPUError) -> [UInt8] {
    let (header, order) = try layout(set)
    return order.reduce(into: header) { $0 += $1.storage }
  }

  /// Size, header and padding; and the tensors in the order of their data.
  private static func layout(
    _ set: TensorSet
  ) throws(NPUError) -> (header: [UInt8], order: [Tensor]) {
    let order = set.names.compactMap { name in set[name].map { (name: name, tensor: $0) } }
      .sorted { left, right in
        let (a, b) = (rank(left.tensor.dtype), rank(right.tensor.dtype))
        return a != b ? a < b : left.name.utf8.lexicographicallyPrecedes(right.name.utf8)
      }
    var json = JSONWriter(.compact)
    json.beginObject()
    if !set.metadata.isEmpty {
      json.key(TensorSet.metadataKey)
      json.beginObject()
      let sorted = set.metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      for (key, value) in sorted {
        json.key(key)
        json.string(value)
      }
      json.endObject()
    }
    var offset = 0
    for (name, tensor) in order {
      json.key(name)
      json.beginObject()
      json.key("dtype")
      json.string(tensor.dtype.rawValue)
      json.key("shape")
      json.beginArray()
      for dimension in tensor.shape { json.integer(dimension) }
      json.endArray()
      json.key("data_offsets")
      json.beginArray()
      json.integer(offset)
      offset += tensor.storage.count
      json.integer(offset)
      json.endArray()
      json.endObject()
    }
    json.endObject()
    var text = json.takeBytes()
    text += [UInt8](repeating: 0x20, count: (8 - text.count % 8) % 8)
    guard text.count <= headerLimit else {
      throw NPUError(
        .limit,
        "the header would take \(text.count) bytes; safetensors allows \(headerLimit)")
    }
    let size = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return (size + text, order.map(\.tensor))
  }

  /// The place of a type in the reference implementation's order of data.
  private static func rank(_ dtype: DType) -> Int {
    switch dtype {
    case .i64: 0
    case .f64: 1
    case .f32: 2
    case .i32: 3
    case .bf16: 4
    case .f16: 5
    case .e8m0: 6
    case .e4m3fn: 7
    case .e5m2: 8
    case .i8: 9
    }
  }
}
