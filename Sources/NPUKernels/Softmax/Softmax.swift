import NPUSim

/// softmax: `out = exp(x − max) / Σ exp(x − max)` over the rows of a matrix, BF16 in and out.
///
///     m   = max of the row
///     e   = exp(fl32(x − m))        or exp2(fl32(fl32(x − m) · log2 e)) with --exp base-2
///     s   = row sum of e            lane reduction over the whole row
///     out = bf16(fl32(e · fl32(1 / s)))
///
/// `--passes 3` is that definition: one pass over x for the maximum, one for the sum, one for the
/// result. `--passes 2` is the online form: maximum and sum in one pass, column tile by column tile,
/// the lane partials of the sum rescaled whenever the maximum may have risen:
///
///     m' = max(m, max of the tile),  m starting at the lowest finite BF16
///     p  = fl32(p · exp(fl32(m − m')))        but for the first tile
///     p  = p plus exp(fl32(x − m'))           by lanes
///
/// Both are stable. The width of a column tile is part of the online form's definition, and of no
/// other's: there every schedule gives the same bits.
///
/// Traffic: a row that fits `ub` is read once, 2 bytes an element, whatever the passes, and its
/// exponentials stay on chip between them; a longer one is read once for each pass and its
/// exponentials are made again for the result. The result is written once.
public struct Softmax: Kernel {
  public static let name = "softmax"
  public static let summary = "softmax of the rows of a matrix, three passes or two online ones"

  public static let options: [KernelOption] = [
    KernelOption("rows", .integer(standard: 32, minimum: 1), "rows of x"),
    KernelOption("cols", .integer(standard: 4096, minimum: 1), "columns of x"),
    KernelOption(
      "passes", .choice(["3", "2"]), "3: maximum, sum, result; 2: maximum and sum online, result"),
    KernelOption("exp", .choice(["base-e", "base-2"]), "exp(d), or exp2(d · log2 e)"),
  ]

  let rows: Int
  let columns: Int
  let isOnline: Bool
  let isBase2: Bool
  public let machine: MachineConfiguration
  private let problem: SoftmaxProblem
  let plan: SoftmaxSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    rows = arguments.integer("rows")
    columns = arguments.integer("cols")
    isOnline = arguments.choice("passes") == "2"
    isBase2 = arguments.choice("exp") == "base-2"
    self.machine = machine
    try ShapeLimits.check(
      [("rows", rows), ("cols", columns)], bytes: [[rows, columns, 4]], machine: machine)
    problem = SoftmaxProblem(rows: rows, columns: columns, machine: machine)
    plan = try SoftmaxSchedule(problem, overriding: schedule)
  }

  /// log2(e) rounded to FP32: the factor of `--exp base-2`.
  static let log2e = Float(bitPattern: 0x3FB8_AA3B)

  /// The lowest finite BF16: where the online maximum starts, so that no difference is ∞ − ∞.
  static let lowest = Float(bitPattern: 0xFF7F_0000)

  /// Whether a row stays on chip: it is then read once.
  var isResident: Bool { plan.tileColumns >= columns }

  public var shape: [(name: String, value: String)] {
    [
      ("rows", "\(rows)"), ("cols", "\(columns)"), ("passes", isOnline ? "2" : "3"),
      ("exp", isBase2 ? "base-2" : "base-e"),
    ]
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  public static var scheduleDeclaration: [ScheduleField] { SoftmaxSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    [
      TensorSpec("x", .bf16, [rows, columns], role: .input),
      TensorSpec("out", .bf16, [rows, columns], role: .output),
    ]
  }

  /// x and the result once; every element takes part in the maximum, the exponential, the sum and
  /// the product, and once more in the exponential where a row does not stay on chip.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let elements = Int64(rows) * Int64(columns)
    work.move(2 * elements, .hbmToUB)
    work.move(2 * elements, .ubToHBM)
    work.pass(elements - Int64(rows), MaximumTuning.cheaperClass(machine))
    let times: Int64 = isResident ? 1 : 2
    work.pass(times * elements, .rowBroadcast)
    if isBase2 { work.pass(times * elements, .mulScalar) }
    work.pass(times * elements, isBase2 ? .exp2 : .exp)
    work.pass(elements, .rowSum)
    work.pass(elements, .rowBroadcast)
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(rows), "rows") }

  public var referenceUnits: Int { rows }
  /// An exponential of the reference takes about as long as 64 MACs.
  public var macsPerUnit: Int { 64 * columns }
  public var outputsPerUnit: Int { columns }

  /// The pure reference; one unit is a row.
  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try SoftmaxReference(self, inputs, settings: settings)
  }
}
