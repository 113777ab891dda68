/// A product that two threads add, in bands of columns or rows, and where its results go.
struct SharedProduct {
  /// Products of fewer multiply-accumulates are not worth sharing: handing one over costs as much.
  private static let least = 1 << 20
  /// Bands of a product.
  static let bands = 2

  private let product: BlockProduct
  /// m × n Floats, or BF16 words.
  private let accumulators: UnsafeMutableRawPointer
  private let stride: Int
  private let isBF16: Bool
  private let mode: AccumulatorMode

  /// - Parameters:
  ///   - accumulators: m × n BF16 words, or Floats in `mode`.
  ///   - stride: elements from one row of them to the next.
  init(
    _ product: BlockProduct, to accumulators: UnsafeMutableRawPointer, stride: Int, isBF16: Bool,
    mode: AccumulatorMode
  ) {
    self.product = product
    self.accumulators = accumulators
    self.stride = stride
    self.isBF16 = isBF16
    self.mode = mode
  }

  /// Whether two threads are faster than one.
  var isWorthSharing: Bool { product.m * product.n * product.k >= Self.least }

  /// Bytes for packing that all bands need together.
  var workBytes: Int { Self.bands * bandBytes }

  /// A band packs no more than the whole, and begins where vectors may.
  private var bandBytes: Int {
    let unit = BlockProduct.workAlignment
    return (product.workBytes() + unit - 1) / unit * unit
  }

  /// Adds the whole product.
  ///
  /// - Parameter work: as ``BlockProduct/add(to:stride:mode:work:path:)``, which also says what is
  ///   returned.
  func add(work: UnsafeMutableRawPointer) -> Bool { add(product, offset: 0, work: work) }

  /// Adds one of the bands; several threads may add bands of their own. The words are those of the
  /// whole product, since an output element depends on its own row and column only.
  ///
  /// - Parameter work: ``workBytes`` bytes, of which the band uses its own part.
  func add(band: Int, work: UnsafeMutableRawPointer) -> Bool {
    let memory = work + band * bandBytes
    // Packing the right operand costs most, so each thread packs columns of its own if there are
    // enough.
    if product.n >= Self.bands * BlockProduct.panelColumns {
      let columns = Self.share(product.n, band, unit: BlockProduct.panelColumns)
      return add(product.columns(columns), offset: columns.lowerBound, work: memory)
    }
    let rows = Self.share(product.m, band, unit: 1)
    return add(product.rows(rows), offset: rows.lowerBound * stride, work: memory)
  }

  private func add(
    _ part: BlockProduct, offset: Int, work: UnsafeMutableRawPointer
  ) -> Bool {
    if isBF16 {
      let words = accumulators.assumingMemoryBound(to: UInt16.self)
      return part.add(toBF16: words + offset, stride: stride, work: work)
    }
    let floats = accumulators.assumingMemoryBound(to: Float.self)
    return part.add(to: floats + offset, stride: stride, mode: mode, work: work)
  }

  /// The part of `count` that a band takes: whole units, but at the end.
  private static func share(_ count: Int, _ band: Int, unit: Int) -> Range<Int> {
    let units = (count + unit - 1) / unit
    func place(_ band: Int) -> Int { min(count, units * band / bands * unit) }
    return place(band)..<place(band + 1)
  }
}
