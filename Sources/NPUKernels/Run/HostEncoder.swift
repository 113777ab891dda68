import NPUSim

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
