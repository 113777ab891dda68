import NPUSim

/// The speed of conversions, in bytes read and written a second.
struct FormatBench {
  private static let rows = 512
  private static let columns = 512
  private static let count = rows * columns

  let samples: Int

  /// Every conversion, one after the other.
  func measure() -> [Measurement] {
    let source = (0..<Self.count).map { SeededInput(seed: 1, name: "bench").unit($0) * 8 - 4 }
    var floats = [Float](repeating: 0, count: Self.count)
    var words = [UInt16](repeating: 0, count: Self.count)
    var bytes = [UInt8](repeating: 0, count: Self.count)
    var payload = [Int8](repeating: 0, count: Self.count)
    var scales = [UInt8](repeating: 0, count: Self.count / 32)
    return source.withUnsafeBufferPointer { source in
      floats.withUnsafeMutableBufferPointer { floats in
        words.withUnsafeMutableBufferPointer { words in
          bytes.withUnsafeMutableBufferPointer { bytes in
            payload.withUnsafeMutableBufferPointer { payload in
              scales.withUnsafeMutableBufferPointer { scales in
                measure(source, floats, words, bytes, payload, scales)
              }
            }
          }
        }
      }
    }
  }

  private func measure(
    _ source: UnsafeBufferPointer<Float>, _ floats: UnsafeMutableBufferPointer<Float>,
    _ words: UnsafeMutableBufferPointer<UInt16>, _ bytes: UnsafeMutableBufferPointer<UInt8>,
    _ payload: UnsafeMutableBufferPointer<Int8>, _ scales: UnsafeMutableBufferPointer<UInt8>
  ) -> [Measurement] {
    guard let source = source.baseAddress, let floats = floats.baseAddress,
      let words = words.baseAddress, let bytes = bytes.baseAddress,
      let payload = payload.baseAddress, let scales = scales.baseAddress
    else { return [] }
    let count = Self.count
    let rows = Self.rows
    let columns = Self.columns
    return [
      line("f32 -> bf16", 6) { Bulk.floatToBF16(source, words, count: count) },
      line("bf16 -> f32", 6) { Bulk.bf16ToFloat(words, floats, count: count) },
      line("f32 -> f16", 6) { Bulk.floatToF16(source, words, count: count) },
      line("f32 -> e4m3fn", 5) {
        Bulk.floatToE4M3FN(source, bytes, count: count, saturating: true)
      },
      line("e4m3fn -> f32", 5) { Bulk.e4m3fnToFloat(bytes, floats, count: count) },
      line("f32 -> e5m2", 5) { Bulk.floatToE5M2(source, bytes, count: count, saturating: true) },
      line("f32 -> mxint8, along rows", 5 + 1 / 32) {
        Bulk.encodeMXRows(
          source, sourceStride: columns, rows: rows, cols: columns, payload: payload,
          payloadStride: columns, scales: scales, scaleStride: columns / 32)
      },
      line("f32 -> mxint8, down columns", 5 + 1 / 32) {
        Bulk.encodeMXColumns(
          source, sourceStride: columns, rows: rows, cols: columns, payload: payload,
          payloadStride: columns, scales: scales, scaleStride: columns)
      },
      line("mxint8 -> f32, along rows", 5 + 1 / 32) {
        Bulk.decodeMXRows(
          payload, payloadStride: columns, scales: scales, scaleStride: columns / 32, rows: rows,
          cols: columns, destination: floats, destinationStride: columns)
      },
      line("exp, f32 -> bf16", 6) {
        Bulk.specialToBF16(.exp, mode: .correctlyRounded, source, words, count: count)
      },
    ]
  }

  /// One conversion that moves `bytes` bytes for each element.
  private func line(_ name: String, _ bytes: Double, _ body: () -> Void) -> Measurement {
    let rate = Stopwatch.rate(amount: bytes * Double(Self.count), samples: samples, body)
    return Measurement(name: name, part: "formats", value: rate / 1e9, unit: "GB/s")
  }
}
