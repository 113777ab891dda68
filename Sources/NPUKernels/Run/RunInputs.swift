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
    let needed = specs.filter { $0.role == .input }
    if let files { try Self.checkNames(files, specs) }
    for spec in needed {
      if let files, files[spec.name] != nil {
        values[spec.name] = try read(spec, from: files)
      } else {
        values[spec.name] = try Self.generate(spec, seed: seed)
      }
    }
  }

  private static func checkNames(_ files: TensorSet, _ specs: [TensorSpec]) throws(NPUError) {
    let names = specs.flatMap { $0.format == .mxint8 ? [$0.name, $0.name + ".scale"] : [$0.name] }
    let known = Set(names)
    for name in files.names where !known.contains(name) {
      let near = DidYouMean.suggest(name, among: names)
      throw NPUError(
        .tensor, "\(files.origin ?? "the inputs"): no tensor of this kernel is named '\(name)'",
        hint: near.map { "did you mean \($0)?" }
          ?? "its tensors are \(names.joined(separator: ", "))"
      )
    }
    let given = specs.filter { $0.role == .input && files[$0.name] != nil }
    if given.isEmpty {
      let inputs = specs.filter { $0.role == .input }.map(\.name)
      throw NPUError(
        .tensor, "\(files.origin ?? "the inputs"): found no input of this kernel",
        hint: "name at least one of \(inputs.joined(separator: ", "))")
    }
  }

  private mutating func read(_ spec: TensorSpec, from files: TensorSet) throws(NPUError)
    -> TensorValue
  {
    guard let tensor = files[spec.name] else {
      throw NPUError(.tensor, "\(spec.name) is missing")
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
        nans += mx.scale.storage.count { $0 == 0xFF }
        return .mx(mx)
      }
      guard tensor.dtype.isFloat else { throw wrongType(spec, tensor, origin) }
      let floats = try tensor.floats()
      count(floats)
      return .mx(try HostEncoder.encode(floats, spec))
    }
    guard tensor.dtype == spec.format.dtype else { throw wrongType(spec, tensor, origin) }
    if tensor.dtype.isFloat { count(try tensor.floats()) }
    return .plain(tensor)
  }

  private func wrongType(_ spec: TensorSpec, _ tensor: Tensor, _ origin: String) -> NPUError {
    let needed =
      spec.format == .mxint8
      ? "I8 with \(spec.name).scale, or a float type to be encoded" : spec.format.dtype.rawValue
    return NPUError(
      .tensor, "\(origin)\(spec.name) is \(tensor.dtype.rawValue), needed \(needed)")
  }

  private mutating func count(_ floats: [Float]) {
    for value in floats where !value.isFinite {
      if value.isNaN { nans += 1 } else { infinities += 1 }
    }
  }

  private static func generate(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue {
    let source = SeededInput(seed: seed, name: spec.name)
    if spec.format == .mxint8 {
      return .mx(try HostEncoder.encode(source, spec))
    }
    return .plain(try source.tensor(shape: spec.shape))
  }
}

/// MXINT8 encoding of whole tensors before a run: inputs that a kernel takes encoded.
enum HostEncoder {
  /// Encodes values along the block axis of `spec`.
  static func encode(_ floats: [Float], _ spec: TensorSpec) throws(NPUError) -> MXTensor {
    try encode(spec) { first, target in
      for index in target.indices { target[index] = floats[first + index] }
    }
  }

  /// Encodes generated values along the block axis of `spec`, slab by slab.
  static func encode(_ source: SeededInput, _ spec: TensorSpec) throws(NPUError) -> MXTensor {
    var words: [UInt16] = []
    return try encode(spec) { first, target in
      if words.count != target.count { words = [UInt16](repeating: 0, count: target.count) }
      words.withUnsafeMutableBufferPointer { source.fill($0, from: first) }
      words.withUnsafeBufferPointer { from in
        if let from = from.baseAddress, let to = target.baseAddress {
          Bulk.bf16ToFloat(from, to, count: target.count)
        }
      }
    }
  }

  /// One slab is the last two dimensions; `fill` puts the values from an element on.
  private static func encode(
    _ spec: TensorSpec, _ fill: (Int, UnsafeMutableBufferPointer<Float>) -> Void
  ) throws(NPUError) -> MXTensor {
    let columns = spec.shape.last ?? 1
    let rows = spec.shape.count > 1 ? spec.shape[spec.shape.count - 2] : 1
    let slabs = spec.shape.dropLast(2).reduce(1, *)
    let scaleRows = spec.axis == .alongColumns ? rows : (rows + 31) / 32
    let scaleColumns = spec.axis == .alongColumns ? (columns + 31) / 32 : columns
    let paddedRows = spec.axis == .alongColumns ? rows : scaleRows * 32
    let paddedColumns = spec.axis == .alongColumns ? scaleColumns * 32 : columns

    var payload = [UInt8](repeating: 0, count: slabs * rows * columns)
    var scales = [UInt8](repeating: 0, count: slabs * scaleRows * scaleColumns)
    var values = [Float](repeating: 0, count: rows * columns)
    var encoded = [Int8](repeating: 0, count: paddedRows * paddedColumns)
    for slab in 0..<slabs {
      values.withUnsafeMutableBufferPointer { fill(slab * rows * columns, $0) }
      values.withUnsafeBufferPointer { source in
        encoded.withUnsafeMutableBufferPointer { target in
          scales.withUnsafeMutableBufferPointer { scale in
            guard let source = source.baseAddress, let target = target.baseAddress,
              let scale = scale.baseAddress
            else { return }
            let first = scale + slab * scaleRows * scaleColumns
            if spec.axis == .alongColumns {
              Bulk.encodeMXRows(
                source, sourceStride: columns, rows: rows, cols: columns, payload: target,
                payloadStride: paddedColumns, scales: first, scaleStride: scaleColumns)
            } else {
              Bulk.encodeMXColumns(
                source, sourceStride: columns, rows: rows, cols: columns, payload: target,
                payloadStride: paddedColumns, scales: first, scaleStride: scaleColumns)
            }
          }
        }
      }
      for row in 0..<rows {
        let start = (slab * rows + row) * columns
        for column in 0..<columns {
          payload[start + column] = UInt8(bitPattern: encoded[row * paddedColumns + column])
        }
      }
    }
    var scaleShape = spec.shape
    if spec.axis == .alongColumns {
      scaleShape[scaleShape.count - 1] = scaleColumns
    } else {
      scaleShape[scaleShape.count - 2] = scaleRows
    }
    return try MXTensor(
      payload: Tensor(dtype: .i8, shape: spec.shape, storage: payload),
      scale: Tensor(dtype: .e8m0, shape: scaleShape, storage: scales), axis: spec.fileAxis)
  }
}
