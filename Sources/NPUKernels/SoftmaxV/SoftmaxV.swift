import NPUSim

/// softmax_v: the second half of decode attention, `out = softmax(qk_T) · v`, max-free by default.
///
///     exp_bf16   = bf16(exp(qk_T))                 elementwise
///     exp_sum    = bf16(row sum of exp_bf16)       lane reduction over the whole row
///     exp_mxint8 = MXINT8(exp_bf16)                32-blocks along kv, zero-padded
///     scaled_v   = bf16(exp_mxint8 · v)            block MACs in ascending kv
///     inv        = bf16(1 / exp_sum)
///     out        = bf16(scaled_v · inv)
///
/// With `--stable` the exponential is of bf16(x − row maximum). Shapes: qk_T [batch, heads, q, kv],
/// v [batch, kv_heads, kv, d] in MXINT8 with blocks along kv, out [batch, heads, q, d]; head h reads
/// kv head h / (heads / kv_heads).
///
/// Traffic: v once, 33/32 bytes an element, dominates: batch · kv_heads · kv · d · 33/32 bytes,
/// against 2 bytes for each of batch · heads · q · kv scores.
public struct SoftmaxV: Kernel {
  public static let name = "softmax_v"
  public static let summary = "decode attention's second half: softmax of the scores, times v"

  public static let options: [KernelOption] = [
    KernelOption("kv", .integer(standard: 128, minimum: 1), "length of the cache, in tokens"),
    ModelOption.extent("heads", 32, "query heads"),
    KernelOption(
      "kv-heads", .integer(standard: nil, minimum: 1), "heads of v; must divide --heads",
      standardText: "--heads, or the model's"),
    KernelOption("q", .integer(standard: 1, minimum: 1), "query rows a head"),
    ModelOption.extent("head-dim", 128, "columns of v"),
    KernelOption("batch", .integer(standard: 1, minimum: 1), "sequences"),
    KernelOption("stable", .flag, "subtract the row maximum before the exponential"),
    ModelOption.option,
  ]

  let batch: Int
  let heads: Int
  let kvHeads: Int
  let queries: Int
  let kv: Int
  let headDim: Int
  let isStable: Bool
  public let machine: MachineConfiguration
  private let problem: SoftmaxVProblem
  private(set) var plan: SoftmaxVSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    batch = arguments.integer("batch")
    let model = try ModelOption.model(arguments)
    heads = arguments.integer("heads", otherwise: model?.heads ?? 32)
    let isModelled = model != nil && !arguments.flag("heads")
    kvHeads = arguments.integer("kv-heads", otherwise: isModelled ? model?.kvHeads ?? heads : heads)
    queries = arguments.integer("q")
    kv = arguments.integer("kv")
    headDim = arguments.integer("head-dim", otherwise: model?.headDim ?? 128)
    isStable = arguments.flag("stable")
    self.machine = machine
    guard heads % kvHeads == 0 else {
      throw NPUError(
        .usage, "--kv-heads \(kvHeads) does not divide --heads \(heads)",
        hint: "each kv head serves the same number of query heads")
    }
    try ShapeLimits.check(
      [
        ("batch", batch), ("heads", heads), ("q", queries), ("kv", kv), ("head-dim", headDim),
      ],
      bytes: [
        [batch, heads, queries, kv, 2], [batch, kvHeads, kv, headDim, 2],
        [batch, heads, queries, headDim, 2],
      ], machine: machine)
    problem = SoftmaxVProblem(
      rows: heads / kvHeads * queries, groups: batch * kvHeads, kv: kv, headDim: headDim,
      machine: machine)
    plan = .smallest(problem)
    let draft = self
    plan = try SoftmaxVSchedule(problem, overriding: schedule) { plan throws(NPUError) in
      var kernel = draft
      kernel.plan = plan
      return try kernel.sequence(IndexTensors([:]))
    }
  }

  /// Query rows that share one kv head.
  var rowsPerGroup: Int { heads / kvHeads * queries }

  /// Pairs of sequence and kv head.
  var groups: Int { batch * kvHeads }

  /// Query rows in all.
  var rows: Int { batch * heads * queries }

  public var shape: [(name: String, value: String)] {
    [
      ("kv", "\(kv)"), ("heads", "\(heads)"), ("kv-heads", "\(kvHeads)"), ("q", "\(queries)"),
      ("head-dim", "\(headDim)"), ("batch", "\(batch)"), ("stable", isStable ? "yes" : "no"),
    ]
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  public static var scheduleDeclaration: [ScheduleField] { SoftmaxVSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    let scores = [batch, heads, queries, kv]
    let column = [batch, heads, queries, 1]
    let result = [batch, heads, queries, headDim]
    return [
      TensorSpec("softmaxed_v.qk_T", .bf16, scores, role: .input),
      TensorSpec("softmaxed_v.exp-bf16", .bf16, scores, role: .intermediate),
      TensorSpec("softmaxed_v.exp_sum", .bf16, column, role: .intermediate),
      TensorSpec(
        "softmaxed_v.v", .mxint8, [batch, kvHeads, kv, headDim], axis: .alongRows, role: .input),
      TensorSpec("softmaxed_v.exp_mxint8", .mxint8, scores, role: .intermediate),
      TensorSpec("softmaxed_v.scaled_v", .bf16, result, role: .intermediate),
      TensorSpec("softmaxed_v.inv", .bf16, column, role: .intermediate),
      TensorSpec("softmaxed_v.out", .bf16, result, role: .output),
    ]
  }

  /// v and the scores once; the scores pass the exponential, the encode and the row sum, and the
  /// maximum and the subtraction in the stable form.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let scores = Int64(rows) * Int64(kv)
    let blocks = Int64((kv + 31) / 32)
    let v = Int64(groups) * Int64(headDim) * (Int64(kv) + blocks)
    let encoded = scores + Int64(rows) * blocks
    let result = Int64(rows) * Int64(headDim)
    work.move(v, .hbmToL1)
    work.move(2 * scores, .hbmToUB)
    work.move(encoded, .ubToL1)
    work.move(encoded, .l1ToLeft)
    work.move(v, .l1ToRight)
    work.move(2 * result, .accToUB)
    work.move(2 * result, .ubToHBM)
    work.macs = scores * Int64(headDim)
    work.pass(scores, .exp)
    work.pass(scores, .encodeMX)
    work.pass(scores, .rowSum)
    work.pass(result, .rowBroadcast)
    if isStable {
      work.pass(scores, .rowMax)
      work.pass(scores, .rowBroadcast)
    }
    return work
  }

  /// One step of decoding makes `batch · q` tokens.
  public var throughput: (count: Double, unit: String) { (Double(batch * queries), "tokens") }

  public var referenceUnits: Int { rows }
  public var macsPerUnit: Int { kv * headDim }
  public var outputsPerUnit: Int { headDim }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try SoftmaxVReference(self, inputs, settings: settings)
  }
}
