import CDatapath

extension Bulk {
  /// ``MXINT8/encodeBlock(_:)`` along each row (axis −1).
  ///
  /// - Parameters:
  ///   - source: rows × cols Floats, `sourceStride` elements from row to row.
  ///   - payload: rows × 32·⌈cols/32⌉ bytes, all written: the last block is padded with zeros.
  ///   - scales: rows × ⌈cols/32⌉ bytes.
  public static func encodeMXRows(
    _ source: UnsafePointer<Float>, sourceStride: Int, rows: Int, cols: Int,
    payload: UnsafeMutablePointer<Int8>, payloadStride: Int,
    scales: UnsafeMutablePointer<UInt8>, scaleStride: Int, path: DatapathPath = .active
  ) {
    for row in 0..<Swift.max(rows, 0) {
      let from = source + row &* sourceStride
      let to = payload + row &* payloadStride
      let scale = scales + row &* scaleStride
      if let native = path.native {
        npu_encode_mx_row(native, from, cols, to, scale)
      } else {
        encodeRow(cols, to, scale) { from[$0] }
      }
    }
  }

  /// ``MXINT8/encodeBlock(_:)`` along one row of BF16 words.
  ///
  /// - Parameters:
  ///   - payload: 32·⌈count/32⌉ bytes, all written.
  ///   - scales: ⌈count/32⌉ bytes.
  public static func encodeMXRow(
    bf16 source: UnsafePointer<UInt16>, count: Int, payload: UnsafeMutablePointer<Int8>,
    scales: UnsafeMutablePointer<UInt8>, path: DatapathPath = .active
  ) {
    if let native = path.native {
      npu_encode_mx_row_bf16(native, source, count, payload, scales)
    } else {
      encodeRow(count, payload, scales) { BF16(bits: source[$0]).float }
    }
  }

  /// ``MXINT8/encodeBlock(_:)`` down each column (axis −2).
  ///
  /// - Parameters:
  ///   - source: rows × cols Floats.
  ///   - payload: 32·⌈rows/32⌉ × cols bytes, all written: the last block is padded with zero rows.
  ///   - scales: ⌈rows/32⌉ × cols bytes.
  public static func encodeMXColumns(
    _ source: UnsafePointer<Float>, sourceStride: Int, rows: Int, cols: Int,
    payload: UnsafeMutablePointer<Int8>, payloadStride: Int,
    scales: UnsafeMutablePointer<UInt8>, scaleStride: Int, path: DatapathPath = .active
  ) {
    var top = 0
    while top < rows {
      let present = Swift.min(32, rows &- top)
      let from = source + top &* sourceStride
      let to = payload + top &* payloadStride
      let scale = scales + (top / 32) &* scaleStride
      if let native = path.native {
        npu_encode_mx_columns(native, from, sourceStride, present, cols, to, payloadStride, scale)
      } else {
        for col in 0..<Swift.max(cols, 0) {
          let block = MXINT8.encodeBlock((0..<present).map { from[$0 &* sourceStride &+ col] })
          scale[col] = block.scale.bits
          for row in 0..<32 {
            to[row &* payloadStride &+ col] = row < present ? block.payload[row] : 0
          }
        }
      }
      top &+= 32
    }
  }

  /// ``MXINT8/decode(_:scale:)`` for blocks along each row: rows × cols Floats.
  public static func decodeMXRows(
    _ payload: UnsafePointer<Int8>, payloadStride: Int, scales: UnsafePointer<UInt8>,
    scaleStride: Int, rows: Int, cols: Int, destination: UnsafeMutablePointer<Float>,
    destinationStride: Int, path: DatapathPath = .active
  ) {
    for row in 0..<Swift.max(rows, 0) {
      let from = payload + row &* payloadStride
      let scale = scales + row &* scaleStride
      let to = destination + row &* destinationStride
      if let native = path.native {
        npu_decode_mx_row(native, from, scale, to, cols)
      } else {
        for col in 0..<Swift.max(cols, 0) {
          to[col] = MXINT8.decode(from[col], scale: E8M0(bits: scale[col / 32]))
        }
      }
    }
  }

  /// ``MXINT8/decode(_:scale:)`` for blocks down each column: rows × cols Floats.
  public static func decodeMXColumns(
    _ payload: UnsafePointer<Int8>, payloadStride: Int, scales: UnsafePointer<UInt8>,
    scaleStride: Int, rows: Int, cols: Int, destination: UnsafeMutablePointer<Float>,
    destinationStride: Int, path: DatapathPath = .active
  ) {
    for row in 0..<Swift.max(rows, 0) {
      let from = payload + row &* payloadStride
      let scale = scales + (row &>> 5) &* scaleStride
      let to = destination + row &* destinationStride
      if let native = path.native {
        npu_decode_mx_columns(native, from, scale, to, cols)
      } else {
        for col in 0..<Swift.max(cols, 0) {
          to[col] = MXINT8.decode(from[col], scale: E8M0(bits: scale[col]))
        }
      }
    }
  }

  /// The definition over a row, block by block.
  private static func encodeRow(
    _ count: Int, _ payload: UnsafeMutablePointer<Int8>, _ scales: UnsafeMutablePointer<UInt8>,
    _ value: (Int) -> Float
  ) {
    for block in 0..<MXINT8.blocks(count) {
      let start = block * 32
      let encoded = MXINT8.encodeBlock((start..<Swift.min(start + 32, count)).map(value))
      scales[block] = encoded.scale.bits
      for index in 0..<32 {
        payload[start + index] = index < encoded.payload.count ? encoded.payload[index] : 0
      }
    }
  }
}
