import CDatapath

/// A product of MXINT8 matrices in memory, to be added to accumulators: `acc += A · B` in ascending
/// blocks of 32 along k, every output element the chain of ``BlockMAC/dot(_:_:_:_:mode:initial:)``.
///
/// Strides are in elements, from row to row. A row's last block may be short, and what lies past k is
/// not read. Nothing is written for k = 0 or an empty output.
public struct BlockProduct {
  /// m × k payloads, blocked along k within a row.
  public var a: UnsafePointer<Int8>
  public var aStride: Int
  /// m × ⌈k/32⌉ scale bytes.
  public var aScale: UnsafePointer<UInt8>
  public var aScaleStride: Int
  /// k × n payloads, blocked along k down its columns.
  public var b: UnsafePointer<Int8>
  public var bStride: Int
  /// ⌈k/32⌉ × n scale bytes.
  public var bScale: UnsafePointer<UInt8>
  public var bScaleStride: Int
  public var m: Int
  public var n: Int
  public var k: Int
  /// Whether the chains start at +0 instead of at what the accumulators hold.
  public var startsAtZero: Bool

  public init(
    a: UnsafePointer<Int8>, aStride: Int, aScale: UnsafePointer<UInt8>, aScaleStride: Int,
    b: UnsafePointer<Int8>, bStride: Int, bScale: UnsafePointer<UInt8>, bScaleStride: Int,
    m: Int, n: Int, k: Int, startsAtZero: Bool = false
  ) {
    self.a = a
    self.aStride = aStride
    self.aScale = aScale
    self.aScaleStride = aScaleStride
    self.b = b
    self.bStride = bStride
    self.bScale = bScale
    self.bScaleStride = bScaleStride
    self.m = m
    self.n = n
    self.k = k
    self.startsAtZero = startsAtZero
  }

  /// Some columns of the product: of B, its scales and the output.
  ///
  /// - Parameter range: columns below ``n``.
  func columns(_ range: Range<Int>) -> BlockProduct {
    var part = self
    part.b += range.lowerBound
    part.bScale += range.lowerBound
    part.n = range.count
    return part
  }

  /// Alignment of the memory that packing needs, in bytes.
  public static let workAlignment = 64

  /// Bytes that packing needs: a panel of B, and for each block of A its scale.
  public func workBytes(path: DatapathPath = .active) -> Int {
    guard let native = path.native else { return 0 }
    return npu_mac_work_bytes(native, m, n, k)
  }

  /// Adds to m × n Floats, which hold BF16 values in mode ``AccumulatorMode/bf16``.
  ///
  /// - Parameter work: ``workBytes(path:)`` bytes, aligned to ``workAlignment``.
  /// - Returns: false if certainly no accumulator became NaN or infinite.
  @discardableResult
  public func add(
    to acc: UnsafeMutablePointer<Float>, stride: Int, mode: AccumulatorMode,
    work: UnsafeMutableRawPointer, path: DatapathPath = .active
  ) -> Bool {
    guard let native = path.native else {
      return define(mode) {
        acc[$0 * stride + $1]
      } store: {
        acc[$0 * stride + $1] = $2
      }
    }
    return run(native, UnsafeMutableRawPointer(acc), stride, isWords: false, mode, work)
  }

  /// Adds to m × n BF16 words in mode ``AccumulatorMode/bf16``.
  ///
  /// - Parameter work: as ``add(to:stride:mode:work:path:)``, which also says what is returned.
  @discardableResult
  public func add(
    toBF16 words: UnsafeMutablePointer<UInt16>, stride: Int, work: UnsafeMutableRawPointer,
    path: DatapathPath = .active
  ) -> Bool {
    guard let native = path.native else {
      return define(.bf16) {
        BF16(bits: words[$0 * stride + $1]).float
      } store: {
        words[$0 * stride + $1] = BF16($2).bits
      }
    }
    return run(native, UnsafeMutableRawPointer(words), stride, isWords: true, .bf16, work)
  }

  private func run(
    _ path: npu_path, _ acc: UnsafeMutableRawPointer, _ stride: Int, isWords: Bool,
    _ mode: AccumulatorMode, _ work: UnsafeMutableRawPointer
  ) -> Bool {
    var product = npu_mac(
      acc: acc, acc_stride: stride, a: a, a_stride: aStride, a_scale: aScale,
      a_scale_stride: aScaleStride, b: b, b_stride: bStride, b_scale: bScale,
      b_scale_stride: bScaleStride, m: m, n: n, k: k, acc_is_bf16: isWords ? 1 : 0,
      rounds_to_bf16: mode == .bf16 ? 1 : 0, starts_at_zero: startsAtZero ? 1 : 0, work: work)
    return npu_mac_run(path, &product) != 0
  }

  /// The chain of one output element, block by block.
  ///
  /// - Parameters:
  ///   - row: below ``m``.
  ///   - column: below ``n``.
  ///   - initial: the accumulator before the first block.
  ///   - visit: called for each block with the accumulator before it, its value, and the
  ///     accumulator after it.
  /// - Returns: the accumulator after the last block.
  func chain(
    row: Int, column: Int, from initial: Float, mode: AccumulatorMode,
    _ visit: (Float, Float, Float) -> Void
  ) -> Float {
    var acc = initial
    for block in 0..<MXINT8.blocks(k) {
      var sum: Int32 = 0
      for index in block * 32..<min(block * 32 + 32, k) {
        sum += Int32(a[row * aStride + index]) * Int32(b[index * bStride + column])
      }
      let value = BlockMAC.value(
        sum: sum, a: E8M0(bits: aScale[row * aScaleStride + block]),
        b: E8M0(bits: bScale[block * bScaleStride + column]))
      let next = mode.add(acc, value)
      visit(acc, value, next)
      acc = next
    }
    return acc
  }

  /// The definition: one chain after the other.
  private func define(
    _ mode: AccumulatorMode, load: (Int, Int) -> Float, store: (Int, Int, Float) -> Void
  ) -> Bool {
    if k <= 0 { return false }
    for row in 0..<max(m, 0) {
      for column in 0..<max(n, 0) {
        let initial = startsAtZero ? 0 : load(row, column)
        let acc = chain(row: row, column: column, from: initial, mode: mode) { _, _, _ in }
        store(row, column, acc)
      }
    }
    return true
  }
}

extension BlockMAC {
  /// ``BlockProduct/add(to:stride:mode:work:path:)`` with memory of its own for packing.
  public static func matmul(
    acc: UnsafeMutablePointer<Float>, accStride: Int,
    a: UnsafePointer<Int8>, aStride: Int, aScale: UnsafePointer<UInt8>, aScaleStride: Int,
    b: UnsafePointer<Int8>, bStride: Int, bScale: UnsafePointer<UInt8>, bScaleStride: Int,
    m: Int, n: Int, k: Int, mode: AccumulatorMode, path: DatapathPath = .active
  ) {
    let product = BlockProduct(
      a: a, aStride: aStride, aScale: aScale, aScaleStride: aScaleStride, b: b, bStride: bStride,
      bScale: bScale, bScaleStride: bScaleStride, m: m, n: n, k: k)
    withUnsafeTemporaryAllocation(
      byteCount: max(1, product.workBytes(path: path)), alignment: BlockProduct.workAlignment
    ) { work in
      guard let work = work.baseAddress else { return }
      product.add(to: acc, stride: accStride, mode: mode, work: work, path: path)
    }
  }
}
