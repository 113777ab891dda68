import Dispatch
import NPUSim

/// MXINT8 encoding of whole tensors before a run: inputs that a kernel takes encoded.
enum HostEncoder {
  /// Elements of a band: whole blocks of some rows and columns, that one thread encodes at once.
  ///
  /// Small, as what a thread frees in large pieces stays with the process.
  private static let bandElements = 1 << 16
  /// Most columns of a band.
  private static let bandColumns = bandElements / 32

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
    var scaleShape = spec.shape
    if spec.axis == .alongColumns {
      scaleShape[scaleShape.count - 1] = matrix.scaleColumns
    } else {
      scaleShape[scaleShape.count - 2] = matrix.scaleRows
    }
    var payload = try Tensor(zeros: .i8, shape: spec.shape)
    var scale = try Tensor(zeros: .e8m0, shape: scaleShape)
    let height = 32 * max(1, bandElements / max(1, 32 * matrix.columns))
    let bands = (matrix.rows + height - 1) / height
    let panels = (matrix.columns + bandColumns - 1) / bandColumns
    payload.withUnsafeMutableBytes { payload in
      scale.withUnsafeMutableBytes { scales in
        guard let payload = payload.baseAddress, let scales = scales.baseAddress else { return }
        // A band writes bytes of its own.
        nonisolated(unsafe) let target = (
          payload: payload.assumingMemoryBound(to: Int8.self),
          scales: scales.assumingMemoryBound(to: UInt8.self)
        )
        DispatchQueue.concurrentPerform(iterations: slabs * bands * panels) { index in
          let (slab, band, panel) = (index / panels / bands, index / panels % bands, index % panels)
          let first = slab * matrix.rows * matrix.columns
          matrix.encode(
            rows: band * height..<min(matrix.rows, (band + 1) * height),
            columns: panel * bandColumns..<min(matrix.columns, (panel + 1) * bandColumns),
            payload: target.payload + first, scales: target.scales + slab * scaleCount
          ) { fill(first + $0, $1) }
        }
      }
    }
    return try MXTensor(payload: payload, scale: scale, axis: spec.fileAxis)
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

  /// Encodes some rows and columns, from multiples of 32 on, into the matrix at `payload` and `scales`;
  /// `fill` puts the matrix's values from an element on.
  func encode(
    rows: Range<Int>, columns range: Range<Int>, payload: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<UInt8>, _ fill: (Int, UnsafeMutableBufferPointer<Float>) -> Void
  ) {
    let isAlongColumns = axis == .alongColumns
    let width = range.count
    let paddedRows = isAlongColumns ? rows.count : (rows.count + 31) / 32 * 32
    let paddedColumns = isAlongColumns ? (width + 31) / 32 * 32 : width
    let firstScale =
      isAlongColumns
      ? rows.lowerBound * scaleColumns + range.lowerBound / 32
      : rows.lowerBound / 32 * scaleColumns + range.lowerBound
    withUnsafeTemporaryAllocation(of: Float.self, capacity: rows.count * width) { values in
      withUnsafeTemporaryAllocation(of: Int8.self, capacity: paddedRows * paddedColumns) {
        encoded in
        guard let source = values.baseAddress, let target = encoded.baseAddress else { return }
        // Rows that touch are filled as one.
        let run = width == columns ? values.count : width
        for start in stride(from: 0, to: values.count, by: run) {
          fill(
            (rows.lowerBound + start / width) * columns + range.lowerBound,
            UnsafeMutableBufferPointer(rebasing: values[start..<start + run]))
        }
        if isAlongColumns {
          Bulk.encodeMXRows(
            source, sourceStride: width, rows: rows.count, cols: width, payload: target,
            payloadStride: paddedColumns, scales: scales + firstScale, scaleStride: scaleColumns)
        } else {
          Bulk.encodeMXColumns(
            source, sourceStride: width, rows: rows.count, cols: width, payload: target,
            payloadStride: paddedColumns, scales: scales + firstScale, scaleStride: scaleColumns)
        }
        for row in 0..<rows.count {
          (payload + (rows.lowerBound + row) * columns + range.lowerBound).update(
            from: target + row * paddedColumns, count: width)
        }
      }
    }
  }
}
