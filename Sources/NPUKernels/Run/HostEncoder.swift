import Dispatch
import NPUSim

/// MXINT8 encoding of whole tensors before a run: inputs that a kernel takes encoded.
enum HostEncoder {
  /// Elements of a band: a whole number of rows, and of blocks, that one thread encodes at once.
  private static let bandElements = 1 << 16

  /// Encodes values along the block axis of `spec`.
  static func encode(_ floats: [Float], _ spec: TensorSpec) throws(NPUError) -> MXTensor {
    try encode(spec) { first, target in
      for index in target.indices { target[index] = floats[first + index] }
    }
  }

  /// Encodes generated values along the block axis of `spec`.
  static func encode(_ source: SeededInput, _ spec: TensorSpec) throws(NPUError) -> MXTensor {
    try encode(spec) { first, target in
      withUnsafeTemporaryAllocation(of: UInt16.self, capacity: target.count) { words in
        source.fill(words, from: first)
        if let from = words.baseAddress, let to = target.baseAddress {
          Bulk.bf16ToFloat(from, to, count: target.count)
        }
      }
    }
  }

  /// A matrix is the last two dimensions; `fill` puts the values from an element on, from any thread.
  private static func encode(
    _ spec: TensorSpec, _ fill: @Sendable (Int, UnsafeMutableBufferPointer<Float>) -> Void
  ) throws(NPUError) -> MXTensor {
    let matrix = EncodedMatrix(spec)
    let slabs = spec.shape.dropLast(2).reduce(1, *)
    let scaleCount = matrix.scaleRows * matrix.scaleColumns
    var payload = [UInt8](repeating: 0, count: slabs * matrix.rows * matrix.columns)
    var scales = [UInt8](repeating: 0, count: slabs * scaleCount)
    let units = max(1, bandElements / max(1, 32 * matrix.columns))
    let bands = (matrix.rows + 32 * units - 1) / (32 * units)
    payload.withUnsafeMutableBytes { payload in
      scales.withUnsafeMutableBufferPointer { scales in
        guard let payload = payload.baseAddress, let scales = scales.baseAddress else { return }
        // A band writes bytes of its own.
        nonisolated(unsafe) let target = (
          payload: payload.assumingMemoryBound(to: Int8.self), scales: scales
        )
        DispatchQueue.concurrentPerform(iterations: slabs * bands) { index in
          let (slab, band) = (index / bands, index % bands)
          let first = slab * matrix.rows * matrix.columns
          let rows = band * 32 * units..<min(matrix.rows, (band + 1) * 32 * units)
          matrix.encode(
            rows, payload: target.payload + first, scales: target.scales + slab * scaleCount
          ) { fill(first + $0, $1) }
        }
      }
    }
    var scaleShape = spec.shape
    if spec.axis == .alongColumns {
      scaleShape[scaleShape.count - 1] = matrix.scaleColumns
    } else {
      scaleShape[scaleShape.count - 2] = matrix.scaleRows
    }
    return try MXTensor(
      payload: Tensor(dtype: .i8, shape: spec.shape, storage: payload),
      scale: Tensor(dtype: .e8m0, shape: scaleShape, storage: scales), axis: spec.fileAxis)
  }
}

/// The extents of an encoded matrix.
private struct EncodedMatrix {
  let axis: BlockAxis
  let rows: Int
  let columns: Int
  let scaleRows: Int
  let scaleColumns: Int

  init(_ spec: TensorSpec) {
    axis = spec.axis
    columns = spec.shape.last ?? 1
    rows = spec.shape.count > 1 ? spec.shape[spec.shape.count - 2] : 1
    scaleRows = axis == .alongColumns ? rows : (rows + 31) / 32
    scaleColumns = axis == .alongColumns ? (columns + 31) / 32 : columns
  }

  /// Encodes some rows, from a multiple of 32 on, into the matrix at `payload` and `scales`; `fill`
  /// puts the matrix's values from an element on.
  func encode(
    _ range: Range<Int>, payload: UnsafeMutablePointer<Int8>, scales: UnsafeMutablePointer<UInt8>,
    _ fill: (Int, UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    let isAlongColumns = axis == .alongColumns
    let paddedRows = isAlongColumns ? range.count : (range.count + 31) / 32 * 32
    let paddedColumns = isAlongColumns ? scaleColumns * 32 : columns
    let firstScale = (isAlongColumns ? range.lowerBound : range.lowerBound / 32) * scaleColumns
    withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count * columns) { values in
      withUnsafeTemporaryAllocation(of: Int8.self, capacity: paddedRows * paddedColumns) {
        encoded in
        guard let source = values.baseAddress, let target = encoded.baseAddress else { return }
        fill(range.lowerBound * columns, values)
        if isAlongColumns {
          Bulk.encodeMXRows(
            source, sourceStride: columns, rows: range.count, cols: columns, payload: target,
            payloadStride: paddedColumns, scales: scales + firstScale, scaleStride: scaleColumns)
        } else {
          Bulk.encodeMXColumns(
            source, sourceStride: columns, rows: range.count, cols: columns, payload: target,
            payloadStride: paddedColumns, scales: scales + firstScale, scaleStride: scaleColumns)
        }
        for row in 0..<range.count {
          (payload + (range.lowerBound + row) * columns).update(
            from: target + row * paddedColumns, count: columns)
        }
      }
    }
  }
}
