extension BlockMAC {
  /// Output columns of one panel; a multiple of every vector width.
  private static let panelColumns = 16

  /// acc[m × n] += A[m × k] · B[k × n] in ascending blocks of 32 along k, every output element
  /// the same chain as ``dot(_:_:_:_:mode:initial:)``.
  ///
  /// Strides are in elements, from row to row. A row's last block may be short, and what lies
  /// past k is not read. Nothing is written for k = 0 or an empty output.
  /// - Parameters:
  ///   - acc: m × n accumulators as Floats; they hold BF16 values in mode ``AccumulatorMode/bf16``.
  ///   - a: m × k payloads, blocked along k within a row.
  ///   - aScale: m × ⌈k/32⌉ scale bytes.
  ///   - b: k × n payloads, blocked along k down its columns.
  ///   - bScale: ⌈k/32⌉ × n scale bytes.
  public static func matmul(
    acc: UnsafeMutablePointer<Float>, accStride: Int,
    a: UnsafePointer<Int8>, aStride: Int, aScale: UnsafePointer<UInt8>, aScaleStride: Int,
    b: UnsafePointer<Int8>, bStride: Int, bScale: UnsafePointer<UInt8>, bScaleStride: Int,
    m: Int, n: Int, k: Int, mode: AccumulatorMode
  ) {
    if m <= 0 || n <= 0 || k <= 0 { return }
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: n) { sums in
      guard let sums = sums.baseAddress else { return }
      for row in 0..<m {
        let target = acc + row &* accStride
        var start = 0
        while start < k {
          let end = min(start &+ 32, k)
          for col in 0..<n { sums[col] = 0 }
          for index in start..<end {
            let factor = Int32(a[row &* aStride &+ index])
            let line = b + index &* bStride
            for col in 0..<n { sums[col] &+= factor &* Int32(line[col]) }
          }
          let block = start &>> 5
          let scaleA = UInt32(aScale[row &* aScaleStride &+ block])
          let scaleB = bScale + block &* bScaleStride
          for col in 0..<n {
            let v = scaled(sums[col], scaleA, UInt32(scaleB[col]))
            let sum = FP32.canonical(target[col] + v)
            target[col] = mode == .bf16 ? Bulk.bf16Rounded(sum) : sum
          }
          start = end
        }
      }
    }
  }

  /// ``value(sum:a:b:)`` without a branch.
  @inline(__always)
  private static func scaled(_ sum: Int32, _ a: UInt32, _ b: UInt32) -> Float {
    let power = Double(bitPattern: UInt64(truncatingIfNeeded: a &+ b &+ 757) &<< 52)
    let value = Float(Double(sum) * power)
    return a == 0xFF || b == 0xFF ? Float(bitPattern: 0x7FC0_0000) : value
  }
}
