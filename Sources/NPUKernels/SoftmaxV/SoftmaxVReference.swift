import NPUSim

// MARK: Algorithm

/// The pure reference of ``SoftmaxV``: one unit is one query row of one head.
struct SoftmaxVReference: KernelReference {
  private let kernel: SoftmaxV
  private let settings: DatapathSettings
  private let scores: InputRows
  private let v: ProductMatrix

  init(_ kernel: SoftmaxV, _ inputs: [String: TensorValue], settings: DatapathSettings)
    throws(NPUError)
  {
    guard case .mx(let value) = inputs["softmaxed_v.v"] else {
      throw NPUError(.internal, "softmax_v was not given v")
    }
    self.kernel = kernel
    self.settings = settings
    scores = try InputRows("softmaxed_v.qk_T", columns: kernel.kv, inputs)
    v = ProductMatrix(
      payload: ReferencePayload(value), scales: value.scale.storage, lines: kernel.headDim,
      depth: kernel.kv, layout: .columns, hasEnergies: false)
  }

  func evaluate(unit index: Int) -> ReferenceUnit {
    let (kv, d) = (kernel.kv, kernel.headDim)
    let mode = settings.sfuMode
    var x = scores[index].map { Traced($0) }
    if kernel.isStable {
      let maximum = Traced.max(x)
      x = x.map { Traced.sub($0, maximum).bf16 }
    }
    let exps = x.map { $0.applying(.exp, to: .bf16, mode: mode) }
    let given = exps.map(\.given)
    let sum = Traced.sum(given, lanes: settings.lanes).bf16
    let (encoded, row) = ProductRow(encoding: given).settled()
    let chains = v.product(
      row, slab: index / kernel.rowsPerGroup, lines: 0..<d, accumulator: settings.accumulator)
    let scaled = chains.map(\.bf16)
    let inverse = sum.given.applying(.reciprocal, to: .bf16, mode: mode)
    let out = scaled.map { Traced.mul($0.given, inverse.given).bf16 }

    var unit = ReferenceUnit()
    unit.add("softmaxed_v.exp-bf16", start: index * kv, exps, as: .bf16)
    unit.add("softmaxed_v.exp_sum", start: index, [sum], as: .bf16)
    unit.add("softmaxed_v.exp_mxint8", start: index * kv, row, encoded, width: kv)
    unit.add("softmaxed_v.scaled_v", start: index * d, scaled, as: .bf16)
    unit.add("softmaxed_v.inv", start: index, [inverse], as: .bf16)
    unit.add("softmaxed_v.out", start: index * d, out, as: .bf16)
    return unit
  }
}
