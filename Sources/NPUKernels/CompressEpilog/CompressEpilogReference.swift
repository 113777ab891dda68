import NPUSim

// MARK: Algorithm

/// The pure reference of ``CompressEpilog``: one unit is a slot of the cache, with the last row that
/// names it or with the bytes that it had.
struct CompressEpilogReference: KernelReference {
  private let kernel: CompressEpilog
  private let x: [UInt16]
  private let cache: [UInt8]
  private let scales: [UInt8]
  /// The last row for each slot that has one.
  private var rows: [Int: Int] = [:]

  init(_ kernel: CompressEpilog, _ inputs: [String: TensorValue]) throws(NPUError) {
    guard case .plain(let x) = inputs["x"], case .plain(let mapping) = inputs["slot_mapping"],
      case .plain(let cache) = inputs["cache"], case .plain(let scale) = inputs["scale"]
    else {
      throw NPUError(.internal, "compress_epilog was not given x, slot_mapping, cache and scale")
    }
    self.kernel = kernel
    self.x = try x.words(as: UInt16.self)
    self.cache = cache.storage
    scales = scale.storage
    for (row, slot) in try mapping.words(as: Int32.self).enumerated() where slot >= 0 {
      rows[Int(slot)] = row
    }
  }

  private func values(row: Int) -> [Float] {
    x[row * kernel.columns..<(row + 1) * kernel.columns].map { word in
      kernel.input == .bf16 ? BF16(bits: word).float : FP16(bits: word).float
    }
  }

  func evaluate(unit slot: Int) -> ReferenceUnit {
    let codeStart = slot * kernel.columns
    let scaleStart = slot * kernel.blocks
    guard let row = rows[slot] else {
      let size = kernel.scales.bytes
      return ReferenceUnit(
        words: [
          ReferenceSlice(
            "cache", start: codeStart, bytes: Array(cache[codeStart..<codeStart + kernel.columns])),
          ReferenceSlice(
            "scale", start: scaleStart,
            bytes: Array(scales[scaleStart * size..<(scaleStart + kernel.blocks) * size])),
        ], exact: [])
    }
    let values = values(row: row)
    var codes: [UInt8] = []
    var words: [UInt8] = []
    var exact = ExactRow()
    for start in stride(from: 0, to: values.count, by: FP8Block.blockSize) {
      let block = Array(values[start..<min(start + FP8Block.blockSize, values.count)])
      switch kernel.rule {
      case .fp32:
        let encoded = FP8Block.encode(block, format: kernel.block)
        codes += encoded.codes
        let bits = encoded.scale.bitPattern
        words += [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
      case .e8m0(let roundsUp):
        let encoded = FP8Block.encode(block, format: kernel.block, roundsUp: roundsUp)
        codes += encoded.codes
        words.append(encoded.scale.bits)
      }
      exact.append(block, kernel)
    }
    return ReferenceUnit(
      words: [
        ReferenceSlice("cache", start: codeStart, bytes: codes),
        ReferenceSlice("scale", start: scaleStart, bytes: words),
      ], exact: exact.slices(kernel, codeStart: codeStart, scaleStart: scaleStart))
  }
}

/// The quotients and scales of a row in FP64, and bounds on the datapath's errors.
///
/// amax is exact, C = 1 / largest within 2^-25, the product and the quotient round by 2^-24 each:
/// a quotient is within 2^-22, and a code within half a step of it: 2^-4 of the quotient for E4M3FN, 2^-3
/// for E5M2, or half the least subnormal, 2^-10 or 2^-17. With the powers of two of quant mode 0 only the
/// quotient and the code round; which power of two it is belongs to the definition, as its choice is not
/// continuous. Where the scale is subnormal there is no relative bound.
private struct ExactRow {
  private var quotients: [Double] = []
  private var bounds: [Double] = []
  private var scales: [Double] = []
  private var scaleBounds: [Double] = []

  mutating func append(_ block: [Float], _ kernel: CompressEpilog) {
    let largest = Double(kernel.block.largest)
    let amax = Double(FP8Block.finiteMaximum(block))
    let scale: Double
    switch kernel.rule {
    case .fp32: scale = amax / largest
    case .e8m0(let roundsUp):
      let floor = Double(Float(1e-4))
      scale =
        roundsUp
        ? Double(FP8Block.encode(block, format: kernel.block, roundsUp: true).scale.float)
        : Swift.max(amax, floor) / largest
    }
    let isSubnormal = scale < 0x1p-126
    let relative = kernel.block == .e4m3fn ? 0x1p-4 : 0x1p-3
    let least = kernel.block == .e4m3fn ? 0x1p-10 : 0x1p-17
    for value in block {
      let quotient = scale == 0 ? 0 : Double(value) / scale
      let moved = quotient.magnitude * 0x1p-22
      quotients.append(quotient)
      bounds.append(
        isSubnormal && scale != 0
          ? .infinity : moved + Swift.max((quotient.magnitude + moved) * relative, least))
    }
    if kernel.rule == .fp32 {
      scales.append(scale)
      scaleBounds.append(scale * 0x1p-22 + 0x1p-149)
    }
  }

  func slices(_ kernel: CompressEpilog, codeStart: Int, scaleStart: Int) -> [ExactSlice] {
    let codes = ExactSlice("cache", start: codeStart, values: quotients, bounds: bounds)
    if kernel.rule != .fp32 { return [codes] }
    return [
      codes, ExactSlice("scale", start: scaleStart, values: scales, bounds: scaleBounds),
    ]
  }
}
