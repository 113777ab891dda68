import NPUSim

/// rope: rotary position embedding, its tables and the rotation of queries and keys.
///
///     freq[m, i] = fl32(m · inv_freq[i])                   bf16 tables: rounded to BF16
///     cos, sin   = cos(freq), sin(freq)                    correctly rounded to the table's type
///     a'         = bf16(fl32(fl32(a·cos) − fl32(b·sin)))   for each pair (a, b) of a head
///     b'         = bf16(fl32(fl32(b·cos) + fl32(a·sin)))
///
/// inv_freq[i] = theta^(−2i/d) correctly rounded to FP32, rescaled with `--scaling llama3`; it is an
/// input tensor, so that other frequencies can be given. The pair i is columns 2i and 2i + 1
/// (interleaved: the original Llama weights) or i and i + d/2 (half: the Hugging Face layout).
///
/// The rows are positions `--first-position` and on: a row has the words that it has where positions
/// start at 0, and one step of decoding costs one row.
///
/// Shapes: rope.inv_freq [d/2] FP32; rope.freq, rope.cos and rope.sin [1, positions, d/2], named
/// `rope.…_bf16` or `rope.…_fp32`; x and out [positions, heads, d] BF16, where heads counts those of
/// the queries and of the keys. In BF16 positions collapse where they are large (4,088 to 4,095 all
/// become 4,096 at i = 0), which is the published behaviour; the FP32 tables are the remedy.
///
/// Traffic: x in and out, 4 bytes an element, and the tables out, 3 · d/2 elements a position.
public struct Rope: Kernel {
  public static let name = "rope"
  public static let summary = "rotary position embedding: the tables and the rotation"

  public static let options: [KernelOption] = [
    ModelOption.extent("positions", 4096, "rows of the tables and of x"),
    KernelOption(
      "first-position", .integer(standard: 0, minimum: 0), "position of the first row"),
    ModelOption.extent("head-dim", 128, "columns of a head; even"),
    KernelOption(
      "heads", .integer(standard: nil, minimum: 1), "heads of x, queries and keys together",
      standardText: "1, or the model's"),
    KernelOption("theta", .real(standard: 10000), "base of the frequencies, or the model's"),
    KernelOption(
      "layout", .choice(["interleaved", "half"]), "columns of a pair: 2i, 2i + 1 or i, i + d/2"),
    KernelOption("table", .choice(["bf16", "fp32"]), "type of the tables"),
    KernelOption("scaling", .choice(["none", "llama3"]), "rescaling of low frequencies"),
    KernelOption("factor", .real(standard: 32), "by what llama3 divides the lowest frequencies"),
    ModelOption.option,
  ]

  let positions: Int
  /// The position of the first row.
  let first: Int
  let headDim: Int
  let heads: Int
  let theta: Double
  let pairing: RotatePairs.Pairing
  let table: ElementFormat
  let scaling: Model.RopeScaling?
  public let machine: MachineConfiguration
  private let problem: RopeSchedule.Problem
  let plan: RopeSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let model = try ModelOption.model(arguments)
    positions = arguments.integer("positions", otherwise: model?.context ?? 4096)
    first = arguments.integer("first-position")
    headDim = arguments.integer("head-dim", otherwise: model?.headDim ?? 128)
    heads = arguments.integer("heads", otherwise: model.map { $0.heads + $0.kvHeads } ?? 1)
    let standard = arguments.real("theta")
    theta = arguments.flag("theta") ? standard : model?.ropeTheta ?? standard
    pairing = arguments.choice("layout") == "half" ? .halfSplit : .interleaved
    table = arguments.choice("table") == "fp32" ? .f32 : .bf16
    scaling = Self.scaling(arguments, model)
    self.machine = machine
    try arguments.refuse(
      "factor", unless: scaling != nil, needs: "--scaling llama3, or a --model that rescales")
    guard headDim % 2 == 0 else {
      throw NPUError(
        .usage, "--head-dim needs an even number, found \(headDim)",
        hint: "columns are rotated in pairs")
    }
    guard theta >= 1, theta <= 0x1p40 else {
      throw NPUError(
        .usage, "--theta needs a number from 1 to 2^40, found \(theta)",
        hint: "Llama 2 has 10000, Llama 3 500000")
    }
    if let scaling, scaling.factor < 1 {
      throw NPUError(
        .usage, "--factor needs at least 1, found \(scaling.factor)",
        hint: "Llama 3.1 has 8, Llama 3.2 has 32")
    }
    guard positions <= 1 << 24 else {
      throw NPUError(
        .usage, "--positions needs at most \(1 << 24), found \(positions)",
        hint: "a position is an exact FP32 number")
    }
    guard first <= 1 << 24 - positions else {
      throw NPUError(
        .usage,
        "--first-position needs at most \(1 << 24 - positions) with --positions \(positions), found "
          + "\(first)", hint: "a position is an exact FP32 number")
    }
    try ShapeLimits.check(
      [("head-dim", headDim), ("heads", heads)],
      bytes: [[positions, heads, headDim, 4], [positions, headDim, 6]], machine: machine)
    problem = RopeSchedule.Problem(
      positions: positions, heads: heads, headDim: headDim, table: table, machine: machine)
    plan = try RopeSchedule(problem, overriding: schedule)
  }

  /// The model's rescaling unless `--scaling` or `--factor` is given.
  private static func scaling(_ arguments: KernelArguments, _ model: Model?) -> Model.RopeScaling? {
    let isGiven = arguments.flag("scaling")
    if isGiven && arguments.choice("scaling") == "none" { return nil }
    guard isGiven || model?.ropeScaling != nil else { return nil }
    var result =
      model?.ropeScaling ?? Model.RopeScaling(factor: 32, low: 1, high: 4, originalContext: 8192)
    if arguments.flag("factor") { result.factor = arguments.real("factor") }
    return result
  }

  /// Pairs of a head.
  var half: Int { headDim / 2 }

  /// The name of a table: freq, cos or sin.
  func name(of part: String) -> String { "rope.\(part)_\(table == .f32 ? "fp32" : "bf16")" }

  public var shape: [(name: String, value: String)] {
    [("positions", "\(positions)")] + (first > 0 ? [("first-position", "\(first)")] : []) + [
      ("heads", "\(heads)"), ("head-dim", "\(headDim)"),
      ("theta", "\(theta)"), ("layout", pairing == .halfSplit ? "half" : "interleaved"),
      ("table", table == .f32 ? "fp32" : "bf16"),
      ("scaling", scaling.map { "llama3 by \($0.factor)" } ?? "none"),
    ]
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  public static var scheduleDeclaration: [ScheduleField] { RopeSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    let tables = [1, positions, half]
    return [
      TensorSpec("rope.inv_freq", .f32, [half], role: .input),
      TensorSpec(name(of: "freq"), table, tables, role: .output),
      TensorSpec(name(of: "cos"), table, tables, role: .output),
      TensorSpec(name(of: "sin"), table, tables, role: .output),
      TensorSpec("x", .bf16, [positions, heads, headDim], role: .input),
      TensorSpec("out", .bf16, [positions, heads, headDim], role: .output),
    ]
  }

  /// The frequencies of theta and the scaling.
  public func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue? {
    guard spec.name == "rope.inv_freq" else { return nil }
    let words = RotaryFrequencies.words(headDim: headDim, theta: theta, scaling: scaling)
    return .plain(
      try Tensor(
        dtype: .f32, shape: spec.shape,
        storage: ReferenceSlice(spec.name, start: 0, f32: words).bytes))
  }

  /// x once each way, the tables out; a product, sine and cosine for each of their elements, and the
  /// three passes of a rotation.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let elements = Int64(positions) * Int64(heads) * Int64(headDim)
    let entries = Int64(positions) * Int64(half)
    work.move(2 * elements + 4 * Int64(half), .hbmToUB)
    work.move(2 * elements + 3 * entries * Int64(table.bytes), .ubToHBM)
    work.pass(entries, .mulScalar)
    work.pass(entries, .cos)
    work.pass(entries, .sin)
    work.pass(3 * elements, .mul)
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(positions), "positions") }

  public var referenceUnits: Int { positions }
  public var macsPerUnit: Int { heads * headDim }
  public var outputsPerUnit: Int { heads * headDim + 3 * half }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try RopeReference(self, inputs, settings: settings)
  }
}
