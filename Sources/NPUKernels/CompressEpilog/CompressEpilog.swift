import NPUSim

/// compress_epilog: quantises rows to FP8 with a scale for each 128 elements and scatters them into a
/// slotted cache, in place.
///
///     amax  = max |x| over the finite elements of a block of 128 (the last one of a row may be short)
///
///     quant mode 1, FP32 scales           C = FP32(1 / 448) or FP32(1 / 57344)
///       scale = fl32(amax · C)
///       q     = fl32(x / scale), or x where that is not finite
///       code  = RNE(q), not saturating
///
///     quant mode 0, E8M0 scales           x is finite
///       s     = fl32(max(amax, 1e-4) · C)
///       scale = the least power of two that is not below s; with --no-round-scale s, of which the
///               exponent is stored
///       code  = RNE(fl32(x / scale)), saturating
///
/// Row t of x goes to slot slot_mapping[t]; −1 leaves it out, and of several rows for one slot the
/// last wins. x [tokens, d] is BF16 or FP16, cache [slots, d] E4M3FN or E5M2, scale
/// [slots, ⌈d / 128⌉]; slots that no row names keep their bytes.
///
/// Traffic, each row that is written once: 2 d bytes of x, d of codes and 4 or 1 for each block. The
/// slots are bound when the program is built: rows that are left out are not loaded, and the rest are
/// taken in the order that moves the fewest bursts.
public struct CompressEpilog: Kernel {
  public static let name = "compress_epilog"
  public static let aliases = ["indexer_compress_epilog"]
  public static let summary = "quantises rows to FP8 blocks and scatters them into a slotted cache"

  public static let options: [KernelOption] = [
    KernelOption("tokens", .integer(standard: 8192, minimum: 1), "rows of x"),
    KernelOption("dim", .integer(standard: 4096, minimum: 1), "elements of a row"),
    KernelOption(
      "slots", .integer(standard: nil, minimum: 1), "rows of the cache", standardText: "--tokens"),
    KernelOption("format", .choice(["e4m3fn", "e5m2"]), "format of the cache"),
    KernelOption(
      "quant-mode", .choice(["1", "0"]),
      "1: FP32 scales, not saturating; 0: E8M0 scales, saturating, finite x"),
    KernelOption(
      "no-round-scale", .flag, "quant mode 0: divide by the exact scale, store its exponent"),
    KernelOption("input", .choice(["bf16", "f16"]), "type of x"),
    KernelOption(
      "rung", .choice(["one-op", "composed"]),
      "one-op: the fused encode; composed: elementary vector micro-ops, the same bits"),
  ]

  let tokens: Int
  let columns: Int
  let slots: Int
  /// E4M3FN or E5M2.
  let codes: ElementFormat
  /// BF16 or FP16.
  let input: ElementFormat
  let rule: FP8Block.ScaleRule
  let isComposed: Bool
  public let machine: MachineConfiguration
  private let problem: CompressEpilogProblem
  let plan: CompressEpilogSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    tokens = arguments.integer("tokens")
    columns = arguments.integer("dim")
    slots = arguments.integer("slots", otherwise: tokens)
    codes = arguments.choice("format") == "e5m2" ? .e5m2 : .e4m3fn
    input = arguments.choice("input") == "f16" ? .f16 : .bf16
    isComposed = arguments.choice("rung") == "composed"
    self.machine = machine
    let keepsScale = arguments.flag("no-round-scale")
    let isFP32 = arguments.choice("quant-mode") == "1"
    try arguments.refuse("no-round-scale", unless: !isFP32, needs: "--quant-mode 0")
    rule = isFP32 ? .fp32 : .e8m0(roundsUp: !keepsScale)
    try ShapeLimits.check(
      [("tokens", tokens), ("dim", columns), ("slots", slots)],
      bytes: [
        [tokens, columns, 2], [tokens, 4], [slots, columns], [slots, FP8Block.blocks(columns), 4],
      ], machine: machine)
    problem = CompressEpilogProblem(
      rows: min(tokens, slots), columns: columns, input: input, codes: codes,
      scales: isFP32 ? .f32 : .e8m0, isComposed: isComposed, machine: machine)
    plan = try CompressEpilogSchedule(problem, overriding: schedule)
  }

  /// Scales of a row.
  var blocks: Int { FP8Block.blocks(columns) }

  /// The format of the scales.
  var scales: ElementFormat { problem.scales }

  /// The format of the codes as the numerics name it.
  var block: FP8Block.Format { codes == .e5m2 ? .e5m2 : .e4m3fn }

  public var shape: [(name: String, value: String)] {
    var shape = [
      ("tokens", "\(tokens)"), ("dim", "\(columns)"), ("slots", "\(slots)"),
      ("format", codes.name), ("quant-mode", rule == .fp32 ? "1" : "0"),
    ]
    if case .e8m0(let roundsUp) = rule { shape.append(("round-scale", roundsUp ? "yes" : "no")) }
    return shape + [("input", input.name), ("rung", isComposed ? "composed" : "one-op")]
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  public static var scheduleDeclaration: [ScheduleField] { CompressEpilogSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    [
      TensorSpec("x", input, [tokens, columns], role: .input),
      TensorSpec("slot_mapping", .i32, [tokens], role: .index),
      TensorSpec(
        "cache", codes, [slots, columns], role: .updated, aliases: ["indexer_compress_cache"]),
      TensorSpec(
        "scale", scales, [slots, blocks], role: .updated, aliases: ["indexer_compress_scale"]),
    ]
  }

  /// The work where every row is written.
  public var compulsory: CompulsoryWork { compulsory(rows: min(tokens, slots)) }

  /// Rows that are left out, or that a later one replaces, are no work.
  public func statedWork(_ indices: IndexTensors) -> CompulsoryWork? {
    compulsory(rows: SlotBinding(indices["slot_mapping"], slots: slots).moves.count)
  }

  private func compulsory(rows: Int) -> CompulsoryWork {
    var work = CompulsoryWork()
    let elements = Int64(rows) * Int64(columns)
    work.move(2 * elements, .hbmToUB)
    work.move(elements + Int64(rows * blocks * scales.bytes), .ubToHBM)
    if isComposed {
      work.pass(elements, .rowMax)
      work.pass(elements, .rowBroadcast)
      if rule == .fp32 { work.pass(elements, .select) }
      work.pass(elements, .cast)
    } else {
      work.pass(elements, .encodeFP8)
    }
    return work
  }

  /// What becomes of the rows.
  public func bindings(_ indices: IndexTensors) -> [(name: String, value: String)] {
    let binding = SlotBinding(indices["slot_mapping"], slots: slots)
    return [
      ("rows written", "\(binding.moves.count)"), ("skipped", "\(binding.skipped)"),
      ("duplicates", "\(binding.duplicates)"),
    ]
  }

  public var errorNote: String? {
    guard case .e8m0(roundsUp: false) = rule else { return nil }
    return
      "cache: codes are quotients by the full scale, of which only the exponent is stored, so a "
      + "decoded value is up to half of x too small"
  }

  public var throughput: (count: Double, unit: String) { (Double(tokens), "tokens") }

  /// A unit is a slot.
  public var referenceUnits: Int { slots }
  /// An element of the reference takes about as long as eight MACs.
  public var macsPerUnit: Int { 8 * columns }
  public var outputsPerUnit: Int { columns }

  /// The pure reference; one unit is a slot, written or not.
  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try CompressEpilogReference(self, inputs)
  }
}
