import NPUSim

/// swiglu: the feed-forward part of a Llama block, `(silu(x · w1ᵀ) ⊙ (x · w3ᵀ)) · w2ᵀ`.
///
///     a   = bf16(MXINT8(x) · w1ᵀ)             block MACs in ascending hidden
///     u   = bf16(MXINT8(x) · w3ᵀ)
///     g   = bf16(silu(a))                     correctly rounded
///     h   = bf16(fl32(g · u))
///     out = bf16(MXINT8(h) · w2ᵀ)             block MACs in ascending ffn
///
/// Shapes: x and out [tokens, hidden] BF16; w1 and w3 [ffn, hidden] and w2 [hidden, ffn] in MXINT8
/// with blocks along the last axis; a, u, g and h [tokens, ffn] BF16. x and h are encoded on chip.
///
/// Traffic: the weights, 3 · hidden · ffn · 33/32 bytes, are everything for few tokens; they pass once
/// for each tile of tokens. MACs: 3 · tokens · hidden · ffn.
public struct Swiglu: Kernel {
  public static let name = "swiglu"
  public static let summary = "gated feed-forward part of a Llama block with MXINT8 weights"

  public static let options: [KernelOption] = [
    KernelOption("tokens", .integer(standard: 1, minimum: 1), "rows of x"),
    ModelOption.extent("hidden", 4096, "width of the residual stream"),
    ModelOption.extent("ffn", 11008, "width of the feed-forward part"),
    ModelOption.option,
  ]

  let tokens: Int
  let hidden: Int
  let ffn: Int
  public let machine: MachineConfiguration
  private let model: SwigluCostModel
  private(set) var plan: SwigluSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let llama = try ModelOption.model(arguments)
    tokens = arguments.integer("tokens")
    hidden = arguments.integer("hidden", otherwise: llama?.hidden ?? 4096)
    ffn = arguments.integer("ffn", otherwise: llama?.ffn ?? 11008)
    self.machine = machine
    try ShapeLimits.check(
      [("tokens", tokens), ("hidden", hidden), ("ffn", ffn)],
      bytes: [[hidden, ffn, 4], [tokens, hidden, 4], [tokens, ffn, 2]], machine: machine)
    model = SwigluCostModel(tokens: tokens, hidden: hidden, ffn: ffn, machine: machine)
    plan = .smallest(model)
    let draft = self
    plan = try SwigluSchedule(model, overriding: schedule) { plan throws(NPUError) in
      var kernel = draft
      kernel.plan = plan
      return try kernel.sequence(IndexTensors([:]))
    }
  }

  public var shape: [(name: String, value: String)] {
    [("tokens", "\(tokens)"), ("hidden", "\(hidden)"), ("ffn", "\(ffn)")]
  }

  public var buffers: BufferPlan { model.buffers(plan) }

  public static var scheduleDeclaration: [ScheduleField] { SwigluSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    let inner = [tokens, ffn]
    return [
      TensorSpec("x", .bf16, [tokens, hidden], role: .input),
      TensorSpec("w1", .mxint8, [ffn, hidden], role: .input),
      TensorSpec("w2", .mxint8, [hidden, ffn], role: .input),
      TensorSpec("w3", .mxint8, [ffn, hidden], role: .input),
      TensorSpec("a", .bf16, inner, role: .intermediate),
      TensorSpec("u", .bf16, inner, role: .intermediate),
      TensorSpec("g", .bf16, inner, role: .intermediate),
      TensorSpec("h", .bf16, inner, role: .intermediate),
      TensorSpec("out", .bf16, [tokens, hidden], role: .output),
    ]
  }

  /// The weights, x and out once; x and h encoded once; the passes of the gate.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let (rows, wide, inner) = (Int64(tokens), Int64(hidden), Int64(ffn))
    let (wideBlocks, innerBlocks) = (Int64(MXINT8.blocks(hidden)), Int64(MXINT8.blocks(ffn)))
    let weights = 2 * inner * (wide + wideBlocks) + wide * (inner + innerBlocks)
    let encoded = rows * (wide + wideBlocks + inner + innerBlocks)
    work.move(weights, .hbmToL1)
    work.move(2 * rows * wide, .hbmToUB)
    work.move(weights, .l1ToRight)
    work.move(encoded, .ubToL1)
    work.move(encoded, .l1ToLeft)
    work.move(4 * rows * inner, .accToUB)
    work.move(2 * rows * wide, .accToHBM)
    work.pass(rows * (wide + inner), .encodeMX)
    work.pass(rows * inner, .silu)
    work.pass(rows * inner, .mul)
    work.macs = 3 * rows * wide * inner
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(tokens), "tokens") }

  public var referenceUnits: Int { tokens }
  public var macsPerUnit: Int { 3 * hidden * ffn }
  public var outputsPerUnit: Int { hidden }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try SwigluReference(self, inputs, settings: settings)
  }
}
