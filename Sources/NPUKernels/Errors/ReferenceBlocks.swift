import NPUSim

/// MXINT8 blocks of a tensor as references need them: payloads and scales lie as the elements do.
struct ReferenceBlocks: Sendable {
  var payload: [Int8]
  var scales: [UInt8]
  /// What the encode moved an element of each block by at most: half a step of rounding, or a whole one
  /// where a value was clamped to 127.
  var moved: [Double] = []

  /// MXINT8 along the depth of each line of each slab; element i of a line is `stride` apart from
  /// the next. A slab holds `lines · depth` elements, and the scales lie as the elements do.
  static func encode(
    _ values: [Float], slabs: Int = 1, lines: Int, depth: Int, lineStride: Int, stride: Int
  ) -> ReferenceBlocks {
    let blocks = MXINT8.blocks(depth)
    var payload = [Int8](repeating: 0, count: values.count)
    var scales = [UInt8](repeating: 0, count: slabs * lines * blocks)
    var moved = [Double](repeating: 0, count: scales.count)
    let scaleLine = stride == 1 ? blocks : 1
    var buffer: [Float] = []
    for slab in 0..<slabs {
      let first = slab * lines * depth
      let firstScale = slab * lines * blocks
      for line in 0..<lines {
        for block in 0..<blocks {
          let range = block * 32..<min(block * 32 + 32, depth)
          buffer.removeAll(keepingCapacity: true)
          for index in range { buffer.append(values[first + line * lineStride + index * stride]) }
          let encoded = MXINT8.encodeBlock(buffer)
          for (index, word) in zip(range, encoded.payload) {
            payload[first + line * lineStride + index * stride] = word
          }
          let place = firstScale + line * scaleLine + block * stride
          scales[place] = encoded.scale.bits
          let isClamped = encoded.payload.contains { $0.magnitude == 127 }
          moved[place] = step(encoded.scale.bits) * (isClamped ? 1 : 0.5)
        }
      }
    }
    return ReferenceBlocks(payload: payload, scales: scales, moved: moved)
  }

  /// The value of one payload step under a scale byte; NaN for the NaN scale.
  static func step(_ scale: UInt8) -> Double {
    scale == 0xFF ? .nan : Double(bitPattern: UInt64(Int(scale) + 1023 - 133) << 52)
  }
}
