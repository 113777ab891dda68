import NPUSim

// MARK: Algorithm

/// The pure reference of ``CompressEpilog``: one unit is a slot of the cache, with the last row that
/// names it or with the bytes that it had.
struct CompressEpilogReference: KernelReference {
  private let kernel: CompressEpilog
  private let x: InputRows
  private let cache: [UInt8]
  private let scales: [UInt8]
  /// The last row for each slot that has one.
  private var rows: [Int: Int] = [:]

  init(_ kernel: CompressEpilog, _ inputs: [String: TensorValue]) throws(NPUError) {
    guard case .plain(let mapping) = inputs["slot_mapping"],
      case .plain(let cache) = inputs["cache"], case .plain(let scale) = inputs["scale"]
    else {
      throw NPUError(.internal, "compress_epilog was not given slot_mapping, cache and scale")
    }
    self.kernel = kernel
    x = try InputRows("x", columns: kernel.columns, inputs)
    self.cache = cache.storage
    scales = scale.storage
    for (row, slot) in try mapping.words(as: Int32.self).enumerated() where slot >= 0 {
      rows[Int(slot)] = row
    }
  }

  func evaluate(unit slot: Int) -> ReferenceUnit {
    let codeStart = slot * kernel.columns
    let scaleStart = slot * kernel.blocks
    var unit = ReferenceUnit()
    guard let row = rows[slot] else {
      let size = kernel.scales.bytes
      unit.words = [
        ReferenceSlice(
          "cache", start: codeStart, bytes: Array(cache[codeStart..<codeStart + kernel.columns])),
        ReferenceSlice(
          "scale", start: scaleStart,
          bytes: Array(scales[scaleStart * size..<(scaleStart + kernel.blocks) * size])),
      ]
      return unit
    }
    let values = x[row]
    var codes: [UInt8] = []
    var figures: [ErrorFigure] = []
    var scales: [Traced] = []
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: values.count, by: FP8Block.blockSize) {
      let block = Array(values[start..<min(start + FP8Block.blockSize, values.count)])
      let scale = scale(of: block)
      switch kernel.rule {
      case .fp32:
        let encoded = FP8Block.encode(block, format: kernel.block)
        codes += encoded.codes
        figures += self.figures(block, encoded.codes, divisor: encoded.scale, encoded.scale)
        scales.append(scale)
      case .e8m0(let roundsUp):
        let encoded = FP8Block.encode(block, format: kernel.block, roundsUp: roundsUp)
        let stored = encoded.scale.float
        codes += encoded.codes
        figures += self.figures(
          block, encoded.codes, divisor: roundsUp ? stored : scale.word, stored)
        bytes.append(encoded.scale.bits)
      }
    }
    unit.words = [ReferenceSlice("cache", start: codeStart, bytes: codes)]
    unit.errors = [
      ErrorSlice(
        "cache", start: codeStart, figures: figures,
        scaling: ErrorSlice.Scaling(
          tensor: "scale", width: kernel.columns, block: FP8Block.blockSize))
    ]
    if kernel.rule == .fp32 {
      unit.add("scale", start: scaleStart, scales, as: .f32)
    } else {
      // Which power of two it is belongs to the definition: it has no error.
      unit.words.append(ReferenceSlice("scale", start: scaleStart, bytes: bytes))
    }
    return unit
  }

  /// fl32(amax · C), of at least 1e-4 in quant mode 0.
  private func scale(of block: [Float]) -> Traced {
    let largest = FP8Block.finiteMaximum(block)
    return .mul(
      Traced(kernel.rule == .fp32 ? largest : FP32.max(largest, 1e-4)),
      Traced(kernel.block.reciprocal, for: 1 / Double(kernel.block.largest)))
  }

  /// The figures of a block's decoded values, code · stored scale, of which x is exact.
  ///
  /// The quotient x / divisor is rounded to FP32 and to the code, so code · divisor is within half a step
  /// of each, times the divisor; where the stored scale is the divisor's power of two alone, the decoded
  /// value is off by |code| · (divisor − stored) more, which is no rounding. A divisor that underflowed
  /// to 0 decodes to 0.
  private func figures(
    _ block: [Float], _ codes: [UInt8], divisor: Float, _ stored: Float
  ) -> [ErrorFigure] {
    let precision: Precision = kernel.block == .e4m3fn ? .e4m3fn : .e5m2
    let (scale, kept) = (Double(divisor), Double(stored))
    return zip(block, codes).map { x, code in
      let value = Double(x)
      let decoded = kernel.block.value(code)
      let quotient = FP32.div(x, divisor)
      guard divisor > 0, quotient.isFinite else {
        return ErrorFigure(exact: value, bound: value.magnitude, end: value, variance: 0)
      }
      let (coded, divided) = (precision.step(decoded), Precision.fp32.step(quotient))
      return ErrorFigure(
        exact: value,
        bound: scale * 0.5 * (coded + divided) * Precision.slack
          + (scale - kept).magnitude * Double(decoded.magnitude),
        end: value, variance: scale * scale * (coded * coded + divided * divided) / 12)
    }
  }
}
