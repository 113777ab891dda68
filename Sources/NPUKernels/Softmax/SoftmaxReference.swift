import NPUSim

// MARK: Algorithm

/// The pure reference of ``Softmax``: one unit is one row.
struct SoftmaxReference: KernelReference {
  private let kernel: Softmax
  private let settings: DatapathSettings
  private let x: InputRows

  init(_ kernel: Softmax, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    self.kernel = kernel
    self.settings = settings
    x = try InputRows("x", columns: kernel.columns, inputs)
  }

  /// e^d, or 2^(d · log2 e).
  private func exponential(_ d: Traced) -> Traced {
    kernel.isBase2
      ? Traced.mul(d, Self.log2e).applying(.exp2, mode: settings.sfuMode)
      : d.applying(.exp, mode: settings.sfuMode)
  }

  private static let log2e = Traced(Softmax.log2e, for: 1.4426950408889634)

  /// The maximum of a row and the sum of its exponentials.
  private func statistics(_ x: [Traced]) -> (maximum: Traced, sum: Traced) {
    if kernel.isOnline { return onlineStatistics(x) }
    let maximum = Traced.max(x)
    let sum = Traced.sum(x.map { exponential(.sub($0, maximum)) }, lanes: settings.lanes)
    return (maximum, sum)
  }

  /// Both in one pass: before a column tile, the partials are brought to its maximum.
  private func onlineStatistics(_ x: [Traced]) -> (maximum: Traced, sum: Traced) {
    let lanes = settings.lanes
    var maximum = Traced(Softmax.lowest)
    var partials: [Traced] = []
    for start in stride(from: 0, to: x.count, by: kernel.plan.tileColumns) {
      let tile = start..<min(start + kernel.plan.tileColumns, x.count)
      let raised = Traced.max(maximum, .max(x[tile]))
      let factor = exponential(.sub(maximum, raised))
      partials = partials.map { .mul($0, factor) }
      maximum = raised
      for index in tile {
        let e = exponential(.sub(x[index], maximum))
        if index < lanes {
          partials.append(e)
        } else {
          partials[index % lanes] = .add(partials[index % lanes], e)
        }
      }
    }
    // At most one partial a lane: the sum of the partials is their combination by halving.
    return (maximum, .sum(partials, lanes: lanes))
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let x = x[index].map { Traced($0) }
    let (maximum, sum) = statistics(x)
    let inverse = sum.applying(.reciprocal, mode: settings.sfuMode)
    let out = x.map { Traced.mul(exponential(.sub($0, maximum)), inverse).bf16 }
    var unit = ReferenceUnit()
    unit.add("out", start: index * kernel.columns, out, as: .bf16)
    return unit
  }
}
