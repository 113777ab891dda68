import NPUSim

// MARK: Algorithm

/// The pure reference of ``Softmax``: one unit is one row.
struct SoftmaxReference: KernelReference {
  private let kernel: Softmax
  private let settings: DatapathSettings
  private let words: [UInt16]

  init(_ kernel: Softmax, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    guard case .plain(let x) = inputs["x"] else {
      throw NPUError(.internal, "softmax was not given x")
    }
    self.kernel = kernel
    self.settings = settings
    words = try x.words(as: UInt16.self)
  }

  private func row(_ index: Int) -> [Float] {
    words[index * kernel.columns..<(index + 1) * kernel.columns].map { BF16(bits: $0).float }
  }

  /// e^d, or 2^(d · log2 e).
  private func exponential(_ d: Float) -> Float {
    kernel.isBase2
      ? SpecialFunction.exp2.fp32(FP32.mul(d, Softmax.log2e), mode: settings.sfuMode)
      : SpecialFunction.exp.fp32(d, mode: settings.sfuMode)
  }

  /// The maximum of a row and the sum of its exponentials.
  private func statistics(_ x: [Float]) -> (maximum: Float, sum: Float) {
    if kernel.isOnline { return onlineStatistics(x) }
    let maximum = LaneReduction.max(x, lanes: settings.lanes)
    let sum = LaneReduction.sum(
      x.map { exponential(FP32.sub($0, maximum)) }, lanes: settings.lanes)
    return (maximum, sum)
  }

  /// Both in one pass: before a column tile, the partials are brought to its maximum.
  private func onlineStatistics(_ x: [Float]) -> (maximum: Float, sum: Float) {
    let lanes = settings.lanes
    var maximum = Softmax.lowest
    var partials: [Float] = []
    for start in stride(from: 0, to: x.count, by: kernel.plan.tileColumns) {
      let tile = start..<min(start + kernel.plan.tileColumns, x.count)
      let raised = FP32.max(maximum, LaneReduction.max(x[tile], lanes: lanes))
      let factor = exponential(FP32.sub(maximum, raised))
      partials = partials.map { FP32.mul($0, factor) }
      maximum = raised
      for index in tile {
        let e = exponential(FP32.sub(x[index], maximum))
        if index < lanes {
          partials.append(e)
        } else {
          partials[index % lanes] = FP32.add(partials[index % lanes], e)
        }
      }
    }
    // At most one partial a lane: the sum of the partials is their combination by halving.
    return (maximum, LaneReduction.sum(partials, lanes: lanes))
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let x = row(index)
    let (maximum, sum) = statistics(x)
    let inverse = SpecialFunction.reciprocal.fp32(sum, mode: settings.sfuMode)
    let out = x.map { FP32.mul(exponential(FP32.sub($0, maximum)), inverse) }
    let start = index * kernel.columns
    return ReferenceUnit(
      words: [ReferenceSlice("out", start: start, bf16: out)], exact: [exact(x, start)])
  }
}

extension SoftmaxReference {
  /// softmax in FP64, and a bound on the datapath's error.
  ///
  /// With u = 2^-8 (BF16) and w = 2^-24 (FP32), d = x − m: rounding d, the product with log2 e and
  /// log2 e itself move the exponent by at most w|d|, or 4w|d| for base 2, so that
  /// |e − E| ≤ ((1 + w)e^(4w|d|) − 1)E + 2^-149. The lanes and their combination add (n / lanes +
  /// log2 lanes + 2)w of the sum. The online form multiplies what it summed before each of its T
  /// tiles by a factor with such an error; the differences of the maxima add up to at most the range
  /// D of the row's finite values, so this is another 2Tw + 4wD of the sum, and T·n·2^-149 where a
  /// factor underflows. The inverse adds w, the product w, the result u. `expu` rounds d to BF16,
  /// which moves the exponent by u|d|, and errs by 2^-6 in the exponential (assumed), flushes what is
  /// below 2^-126, in base e only, and errs by 2^-7 in the inverse (assumed).
  private func exact(_ row: [Float], _ start: Int) -> ExactSlice {
    let x = row.map(Double.init)
    let u = 0x1p-8
    let w = 0x1p-24
    let isApproximate = settings.sfuMode == .expu
    let isRough = isApproximate && !kernel.isBase2
    let tiny = isRough ? 0x1p-125 : 0x1p-149
    let count = Double(x.count)
    let expError = isRough ? 0x1p-6 : w
    let shiftError = isRough ? u + w : 4 * w
    let inverseError = isApproximate ? 0x1p-7 : w
    let maximum = x.reduce(-Double.infinity, Swift.max)

    var sum = 0.0
    var sumError = 0.0
    let terms = x.map { value -> (p: Double, error: Double) in
      let d = value - maximum
      let p = ReferenceMath.exp(d)
      let error = ((1 + expError) * ReferenceMath.exp(shiftError * d.magnitude) - 1) * p + tiny
      return (p, error.isFinite ? error : tiny)
    }
    for term in terms {
      sum += term.p
      sumError += term.error
    }
    var chain = count / Double(settings.lanes) + 2
    var lanes = settings.lanes
    while lanes > 1 {
      lanes /= 2
      chain += 1
    }
    var sumRelative = sumError / sum + chain * w * (1 + sumError / sum)
    if kernel.isOnline && kernel.columnTiles > 1 {
      let finite = x.filter(\.isFinite)
      let range = maximum - finite.reduce(maximum, Swift.min)
      let tiles = Double(kernel.columnTiles)
      let factors = ReferenceMath.exp(
        tiles * (isRough ? 0x1p-5 : 2 * w) + shiftError * Swift.min(range, 200))
      sumRelative = (1 + sumRelative) * factors - 1 + tiles * count * tiny / sum
    }
    let inverse = sumRelative < 1 ? sumRelative / (1 - sumRelative) : .infinity
    let tail = (1 + inverse) * (1 + inverseError) * (1 + u) * (1 + 2 * w)
    return ExactSlice(
      "out", start: start, values: terms.map { $0.p / sum },
      bounds: terms.map { (($0.p + $0.error) * tail - $0.p) / sum + 0x1p-133 })
  }
}
