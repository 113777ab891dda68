import NPUSim

/// flash_attention: `out = softmax(q·kᵀ/√d)·v` for each head, by an online softmax over kv tiles.
///
///     k = fl32(log2(e) / √d);  m = −∞, l = 0, O = 0                     for each query row
///     per kv tile, ascending:
///       x  = fl32(S · k)                       S = q·kᵀ drained; masked elements are −∞
///       m' = max(m, row max of x)
///       p  = exp2(fl32(x − m')),  α = exp2(fl32(m − m'))                0 and 1 where m' = −∞
///       l  = fl32(fl32(l·α) + row sum of p)
///       O  = fl32(fl32(O·α) + MXINT8(p)·v)     a fresh accumulator chain for each tile
///     out = bf16(fl32(O · fl32(1/l))), lse = fl32(fl32(m·ln2) + ln l)   0 and −∞ where l = 0
///
/// Shapes: q [batch, heads, q, d] in BF16, encoded on chip along d; k, v [batch, kv_heads, kv, d];
/// out as q; lse [batch, heads, q] in FP32. Head h reads kv head h / (heads / kv_heads). K is blocked
/// along d, v along kv. `--kv-format` says how k and v come: BF16 (encoded on chip), MXINT8, or FP8
/// codes with one FP32 scale for each 128 elements of a row (`k_scale`, `v_scale`
/// [batch, kv_heads, kv, ⌈d/128⌉]). With `--page P` the cache is paged: k and v are
/// [pages, kv_heads, P, d], and `block_table` [batch, ⌈kv/P⌉] names the page of each P tokens. With
/// `--pages N` there are N pages, whoever has the rest of them.
///
/// A causal query sees the keys up to its own position, the last query standing at the last key; with
/// `--window W` only the last W of them. A row that sees nothing gives 0 and −∞.
///
/// Traffic: q, k, v and out once, where k and v stay on chip for the queries that share them; the
/// scores never leave the chip, except in the unfused rung, which writes and reads
/// batch · heads · q · kv of them twice.
public struct FlashAttention: Kernel {
  public static let name = "flash_attention"
  public static let summary = "attention by an online softmax: prefill and decode"

  public static let options: [KernelOption] = [
    KernelOption("q", .integer(standard: 128, minimum: 1), "queries a head"),
    KernelOption("kv", .integer(standard: 128, minimum: 1), "keys, cached tokens included"),
    KernelOption("heads", .integer(standard: 1, minimum: 1), "query heads"),
    KernelOption(
      "kv-heads", .integer(standard: nil, minimum: 1), "heads of k and v; must divide --heads",
      standardText: "--heads"),
    KernelOption(
      "head-dim", .integer(standard: nil, minimum: 1), "columns of q, k and v",
      standardText: "128; 1 for the scalar rung"),
    KernelOption("batch", .integer(standard: 1, minimum: 1), "sequences"),
    KernelOption("causal", .flag, "a query sees no later key; the last query is at the last key"),
    KernelOption(
      "window", .integer(standard: nil, minimum: 1),
      "keys a query sees, up to and with its own; implies --causal", standardText: "all"),
    KernelOption(
      "kv-format", .choice(FlashShape.CacheFormat.allCases.map(\.rawValue)),
      "how k and v come: BF16, MXINT8, or FP8 codes with scales"),
    KernelOption(
      "splits", .integer(standard: 1, minimum: 1),
      "parts of kv with partial results of their own, combined at the end; part of the definition"),
    KernelOption(
      "page", .integer(standard: nil, minimum: 1), "tokens of a page of the cache",
      standardText: "not paged"),
    KernelOption(
      "pages", .integer(standard: nil, minimum: 1), "pages of the cache, needs --page",
      standardText: "as many as the sequences take"),
    KernelOption(
      "rung", .choice(["auto"] + FlashRung.allCases.map(\.rawValue)),
      "the program: auto is spread for one query where cores outnumber kv heads and it is faster, decode "
        + "below 32 queries and for pages or splits, else pipelined"),
  ]

  let form: FlashShape
  let rung: FlashRung
  public let machine: MachineConfiguration
  let plan: FlashSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let chosen = FlashRung(rawValue: arguments.choice("rung"))
    let heads = arguments.integer("heads")
    let window = arguments.integer("window")
    let page = arguments.integer("page")
    let pool = arguments.integer("pages")
    try arguments.refuse("pages", unless: page > 0, needs: "--page")
    let form = FlashShape(
      batch: arguments.integer("batch"), heads: heads,
      kvHeads: arguments.integer("kv-heads", otherwise: heads), queries: arguments.integer("q"),
      kv: arguments.integer("kv"),
      headDim: arguments.integer("head-dim", otherwise: chosen == .scalar ? 1 : 128),
      isCausal: arguments.flag("causal") || window > 0, window: window > 0 ? window : nil,
      kvFormat: FlashShape.CacheFormat(rawValue: arguments.choice("kv-format")) ?? .bf16,
      splits: arguments.integer("splits"), page: page > 0 ? page : nil,
      pool: pool > 0 ? pool : nil)
    try Self.check(form, machine: machine)
    let rung = chosen ?? FlashRung.suited(to: form, on: machine)
    try Self.check(rung, form)
    if rung.isUnfused {
      let scores = [form.batch, form.heads, form.queries, form.kv]
      try ShapeLimits.check(
        [], bytes: [scores + [2], scores + [4]], machine: machine)
    }
    self.form = form
    self.rung = rung
    self.machine = machine
    plan = try FlashSchedule(
      FlashSchedule.Problem(rung: rung, shape: form, machine: machine), overriding: schedule
    ) { plan throws(NPUError) in
      try FlashAttention(form, rung, machine, plan).sequence(IndexTensors([:]))
    }
    let tiles = (form.kv - 1) / plan.tileKV + 1
    guard form.splits <= tiles else {
      throw NPUError(
        .usage, "--splits \(form.splits) is more than the \(tiles) kv tiles of \(plan.tileKV) keys",
        hint: "a split takes whole tiles: use fewer splits or a smaller tile.kv")
    }
  }

  /// A rung of a shape with a schedule that fits it.
  init(
    _ form: FlashShape, _ rung: FlashRung, _ machine: MachineConfiguration, _ plan: FlashSchedule
  ) {
    self.form = form
    self.rung = rung
    self.machine = machine
    self.plan = plan
  }

  private static func check(_ form: FlashShape, machine: MachineConfiguration) throws(NPUError) {
    guard form.heads % form.kvHeads == 0 else {
      throw NPUError(
        .usage, "--kv-heads \(form.kvHeads) does not divide --heads \(form.heads)",
        hint: "each kv head serves the same number of query heads")
    }
    // Pages are whole; sizes beyond the limit are refused below, whatever is counted here.
    let limit = ShapeLimits.maximumExtent
    let page = min(form.page ?? 1, limit)
    let keys = ((min(form.kv, limit) - 1) / page + 1) * page
    let cache =
      form.pool.map { [$0, form.kvHeads, page, form.headDim, 2] }
      ?? [form.batch, form.kvHeads, keys, form.headDim, 2]
    let rows = [form.batch, form.heads, form.queries, form.headDim, 2]
    try ShapeLimits.check(
      [
        ("batch", form.batch), ("heads", form.heads), ("q", form.queries), ("kv", form.kv),
        ("head-dim", form.headDim), ("window", form.window ?? 1), ("splits", form.splits),
        ("page", form.page ?? 1), ("pages", form.pool ?? 1),
      ], bytes: [rows, rows, cache, cache], machine: machine)
    var work = 4
    for factor in [form.batch, form.heads, form.queries, form.kv, form.headDim] {
      let (product, overflow) = work.multipliedReportingOverflow(by: factor)
      guard !overflow else {
        throw NPUError(
          .usage, "this shape needs more than 2^61 multiply-accumulates, which cannot be counted",
          hint: "use a smaller shape")
      }
      work = product
    }
    if let pool = form.pool, pool < form.batch * form.pagesPerSequence {
      throw NPUError(
        .usage,
        "--pages \(pool) is less than the \(form.batch * form.pagesPerSequence) pages that the "
          + "sequences take", hint: "use more --pages, or a larger --page")
    }
    if let page = form.page, form.kvFormat == .mxint8, page % MXINT8.blockSize != 0 {
      throw NPUError(
        .usage, "--page \(page) with --kv-format mxint8, needed a multiple of \(MXINT8.blockSize)",
        hint: "v is blocked along kv, and a block lies in one page")
    }
  }

  /// What each rung can read.
  private static func check(_ rung: FlashRung, _ form: FlashShape) throws(NPUError) {
    if rung == .composed, !form.kvFormat.isFP8 {
      throw NPUError(
        .usage, "--rung composed with --kv-format \(form.kvFormat.rawValue), needed e4m3fn or e5m2",
        hint: "it shows what an FP8 cache costs without the one-op requantise")
    }
    guard rung != .decode, rung != .composed else { return }
    var wrong: String?
    if rung == .spread {
      if form.queries > 1 { wrong = "--q \(form.queries)" }
      if form.splits > 1 { wrong = "--splits \(form.splits)" }
      guard let wrong else { return }
      throw NPUError(
        .usage, "--rung spread does not take \(wrong)",
        hint: "it takes one query a head and no splits: use --rung decode, or leave --rung out")
    }
    if form.splits > 1 { wrong = "--splits \(form.splits)" }
    if let page = form.page { wrong = "--page \(page)" }
    if let wrong {
      throw NPUError(
        .usage, "--rung \(rung.rawValue) does not take \(wrong)",
        hint: "use --rung decode, or leave --rung out")
    }
    if rung == .scalar, form.headDim != 1 || form.kvFormat != .bf16 {
      throw NPUError(
        .usage,
        "--rung scalar with --head-dim \(form.headDim) --kv-format \(form.kvFormat.rawValue), needed "
          + "--head-dim 1 --kv-format bf16",
        hint: "it is the recurrence by itself: q, k and v are numbers")
    }
  }

  /// The format that the matrix unit drains: its accumulator's.
  var drained: ElementFormat { machine.matrix.accumulator.format }

  public var shape: [(name: String, value: String)] {
    let pool = form.pool.map { [("pages", "\($0)")] } ?? []
    return [
      ("q", "\(form.queries)"), ("kv", "\(form.kv)"), ("heads", "\(form.heads)"),
      ("kv-heads", "\(form.kvHeads)"), ("head-dim", "\(form.headDim)"),
      ("batch", "\(form.batch)"), ("causal", form.isCausal ? "yes" : "no"),
      ("window", form.window.map { "\($0)" } ?? "all"), ("kv-format", form.kvFormat.rawValue),
      ("splits", "\(form.splits)"), ("page", form.page.map { "\($0)" } ?? "no"),
      ("rung", rung.rawValue),
    ] + pool
  }

  public var buffers: BufferPlan {
    rung.program.layout(plan, shape: form, machine: machine).buffers
  }

  public static var scheduleDeclaration: [ScheduleField] { FlashSchedule.declaration }
  public var scheduleFields: ScheduleFields {
    plan.fields(FlashSchedule.Problem(rung: rung, shape: form, machine: machine).kind)
  }

  public var tensors: [TensorSpec] {
    let rows = [form.batch, form.heads, form.queries]
    var result = [TensorSpec("q", .bf16, rows + [form.headDim], role: .input)]
    let cache =
      form.page.map { [form.pages, form.kvHeads, $0] } ?? [form.batch, form.kvHeads, form.kv]
    let format = form.kvFormat.element
    for name in ["k", "v"] {
      result.append(
        TensorSpec(
          name, format, cache + [form.headDim],
          axis: name == "v" && format == .mxint8 ? .alongRows : .alongColumns, role: .input))
      if form.kvFormat.isFP8 {
        result.append(TensorSpec(name + "_scale", .f32, cache + [form.scaleBlocks], role: .input))
      }
    }
    if form.page != nil {
      let table = [form.batch, form.pagesPerSequence]
      result.append(TensorSpec("block_table", .i32, table, role: .index))
    }
    if rung.isUnfused {
      let scores = rows + [form.kv]
      result.append(TensorSpec("scores", drained, scores, role: .intermediate))
      result.append(TensorSpec("probabilities", .bf16, scores, role: .intermediate))
    }
    result.append(TensorSpec("out", .bf16, rows + [form.headDim], role: .output))
    result.append(TensorSpec("lse", .f32, rows, role: .output))
    return result
  }

  /// q, out and the keys and values that any query sees, once; the visible scores pass the row
  /// maximum, the exponential, the row sum and the encode. Keys and values are fed and encoded once.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let pairs = form.visiblePairs
    let width = Int64(form.headDim)
    let rows = Int64(form.rows)
    let keys = Int64(form.groups) * Int64(form.visibleKeys)
    let queryBytes = rows * (width + Int64(MXINT8.blocks(form.headDim)))
    let keyBytes = keys * (width + Int64(MXINT8.blocks(form.headDim)))
    let valueBytes = keys * width + Int64(form.groups) * width * Int64(form.visibleKeys / 32)
    work.move(2 * rows * width, .hbmToUB)
    switch form.kvFormat {
    case .mxint8:
      work.move(keyBytes + valueBytes, .hbmToL1)
    case .bf16:
      work.move(4 * keys * width, .hbmToUB)
      if rung != .scalar { work.pass(2 * keys * width, .encodeMX) }
    case .e4m3fn, .e5m2:
      let bytes = 2 * keys * (width + 4 * Int64(form.scaleBlocks))
      work.move(bytes, .hbmToUB)
      if rung != .composed { work.pass(bytes / 4, .requantise) }
    }
    if rung != .scalar {
      work.move(queryBytes, .l1ToLeft)
      work.move(keyBytes + valueBytes, .l1ToRight)
      work.macs = 2 * pairs * width
      work.pass(rows * width + pairs, .encodeMX)
      work.move(pairs * Int64(drained.bytes), .accToUB)
      work.pass(pairs, .exp2Fused)
    }
    work.move(2 * rows * width, .ubToHBM)
    // Maxima and sums of rows may be taken element by element where that is cheaper.
    let slopes = machine.vector.slopes
    let isFolded = slopes[VectorClass.max.index] < slopes[VectorClass.rowMax.index]
    let isAdded = slopes[VectorClass.add.index] < slopes[VectorClass.rowSum.index]
    work.pass(pairs, isFolded ? .max : .rowMax)
    work.pass(pairs, isAdded ? .add : .rowSum)
    return work
  }

  /// A call makes `batch · q` tokens.
  public var throughput: (count: Double, unit: String) {
    (Double(form.batch) * Double(form.queries), "tokens")
  }

  public var referenceUnits: Int { form.rows }
  public var macsPerUnit: Int { 2 * form.kv * form.headDim }
  public var outputsPerUnit: Int { form.headDim }

  /// K and V of the keys that are at hand: as FP32 values, as payloads, and what each block moves.
  public var operandBytes: Int {
    let keys = rung.isUnfused ? form.kv : min(form.kv, plan.tileKV)
    let (bytes, isOver) = keys.multipliedReportingOverflow(by: form.headDim * 16)
    return isOver ? .max : bytes
  }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try FlashReference(self, inputs, settings: settings)
  }
}
