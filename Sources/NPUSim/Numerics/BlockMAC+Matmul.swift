extension BlockMAC {
  /// Output columns whose operands are repacked at once: 128 · 32 Int16 are 8 KiB of level-1 cache.
  private static let panelColumns = 128

  /// Rows from which repacking B pays for itself.
  private static let rowsWorthPacking = 6

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
    let packing = m >= rowsWorthPacking
    let columns = packing ? min(n, panelColumns) : n
    withUnsafeTemporaryAllocation(of: Int32.self, capacity: columns) { sums in
      withUnsafeTemporaryAllocation(of: Int16.self, capacity: packing ? 32 &* (columns &+ 1) : 1) {
        work in
        guard let sums = sums.baseAddress, let work = work.baseAddress else { return }
        var panel = 0
        while panel < n {
          let width = min(columns, n &- panel)
          var start = 0
          while start < k {
            let depth = min(32, k &- start)
            let corner = b + (start &* bStride &+ panel)
            if packing { pack(corner, bStride, width, depth, work + 32) }
            for row in 0..<m {
              let block = start &>> 5
              let left = a + (row &* aStride &+ start)
              if packing {
                for index in 0..<32 { work[index] = index < depth ? Int16(left[index]) : 0 }
                dots(work, work + 32, width, sums)
              } else {
                axpys(left, corner, bStride, width, depth, sums)
              }
              accumulate(
                acc + (row &* accStride &+ panel), sums, aScale[row &* aScaleStride &+ block],
                bScale + (block &* bScaleStride &+ panel), width, mode)
            }
            start &+= 32
          }
          panel &+= width
        }
      }
    }
  }

  /// Transposes depth × width payloads into columns of 32 Int16, zero-padded.
  private static func pack(
    _ b: UnsafePointer<Int8>, _ stride: Int, _ width: Int, _ depth: Int,
    _ packed: UnsafeMutablePointer<Int16>
  ) {
    for index in 0..<32 {
      let line = b + index &* stride
      let inside = index < depth
      for col in 0..<width { packed[col &* 32 &+ index] = inside ? Int16(line[col]) : 0 }
    }
  }

  /// Sums of products of one packed row with `width` packed columns.
  @inline(never)
  private static func dots(
    _ row: UnsafePointer<Int16>, _ columns: UnsafePointer<Int16>, _ width: Int,
    _ sums: UnsafeMutablePointer<Int32>
  ) {
    var column = columns
    for col in 0..<width {
      var sum: Int32 = 0
      for pair in 0..<16 {
        let even = Int32(row[2 &* pair]) &* Int32(column[2 &* pair])
        let odd = Int32(row[2 &* pair &+ 1]) &* Int32(column[2 &* pair &+ 1])
        sum &+= even &+ odd
      }
      sums[col] = sum
      column += 32
    }
  }

  /// The same sums from unpacked operands, one row of B at a time.
  private static func axpys(
    _ a: UnsafePointer<Int8>, _ b: UnsafePointer<Int8>, _ stride: Int, _ width: Int, _ depth: Int,
    _ sums: UnsafeMutablePointer<Int32>
  ) {
    for col in 0..<width { sums[col] = 0 }
    for index in 0..<depth {
      let factor = Int32(a[index])
      let line = b + index &* stride
      for col in 0..<width { sums[col] &+= factor &* Int32(line[col]) }
    }
  }

  /// Adds the block values of one row to its accumulators.
  private static func accumulate(
    _ acc: UnsafeMutablePointer<Float>, _ sums: UnsafePointer<Int32>, _ aScale: UInt8,
    _ bScale: UnsafePointer<UInt8>, _ width: Int, _ mode: AccumulatorMode
  ) {
    let scale = UInt32(aScale)
    switch mode {
    case .bf16:
      for col in 0..<width {
        acc[col] = Bulk.bf16Rounded(acc[col] + scaled(sums[col], scale, UInt32(bScale[col])))
      }
    case .fp32:
      for col in 0..<width {
        acc[col] = FP32.canonical(acc[col] + scaled(sums[col], scale, UInt32(bScale[col])))
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
