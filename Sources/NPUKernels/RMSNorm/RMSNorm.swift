import NPUSim

/// rms_norm: each row divided by its root mean square, times a weight for each column.
///
///     ss  = row sum of fl32(x · x)                       lane reduction over the whole row, FP32
///     ms  = fl32(fl32(ss · fl32(1/n)) + eps)             n = cols
///     inv = rsqrt(ms)                                    FP32
///     y   = fl32(x · inv)                                with --form llama bf16(fl32(x · inv))
///     out = bf16(fl32(y · weight))
///
/// The form torch rounds once, as torch.nn.RMSNorm does; the form llama rounds before the weight, too,
/// as Meta's RMSNorm and LlamaRMSNorm of Hugging Face do.
///
/// Shapes: x and out [rows, cols], weight [cols], BF16; ss and inv [rows, 1], FP32. Traffic: 4 bytes
/// an element and the weight once, where a row fits `ub`; a longer row is read twice. Vector passes:
/// two products, the sum and a product with one value a row, which decide on most machines.
public struct RMSNorm: Kernel {
  public static let name = "rms_norm"
  public static let summary = "rows divided by their root mean square, times a weight"

  public static let options: [KernelOption] = [
    KernelOption("rows", .integer(standard: 32, minimum: 1), "tokens"),
    ModelOption.extent("cols", 4096, "width of the residual stream"),
    KernelOption("eps", .real(standard: 1e-5), "added to the mean square"),
    KernelOption(
      "form", .choice(["torch", "llama"]),
      "torch: rounded once; llama: rounded to BF16 before the weight, too"),
    ModelOption.option,
  ]

  let rows: Int
  let columns: Int
  let epsilon: Float
  /// What x · inv is rounded to before the weight.
  let scaled: ElementFormat
  public let machine: MachineConfiguration
  private let problem: RowSchedule.Problem
  private(set) var plan: RowSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let model = try ModelOption.model(arguments)
    rows = arguments.integer("rows")
    columns = arguments.integer("cols", otherwise: model?.hidden ?? 4096)
    let isGiven = arguments.flag("eps")
    epsilon = Float(isGiven ? arguments.real("eps") : model?.rmsEpsilon ?? arguments.real("eps"))
    scaled = arguments.choice("form") == "llama" ? .bf16 : .f32
    self.machine = machine
    guard epsilon >= 0, epsilon.isFinite else {
      throw NPUError(
        .usage, "--eps needs a number from 0 to the largest of fp32, found \(epsilon)",
        hint: "for example --eps 1e-5")
    }
    try ShapeLimits.check(
      [("rows", rows), ("cols", columns)], bytes: [[rows, columns, 4], [columns, 2]],
      machine: machine)
    problem = RowSchedule.Problem(
      kernel: Self.name, rows: rows, columns: columns,
      columnUnit: max(16, machine.vector.lanes), prefersWholeRows: true, machine: machine,
      rings: { [columns, scaled] in Self.buffers($0, columns: columns, scaled: scaled, machine) },
      // A queue that does not order its own results waits at barriers between dependent passes,
      // whatever else is in flight: longer passes, fewer waits.
      elementsPerLane: machine.interlocks(.vector) ? 128 : 256)
    plan = .smallest(problem)
    let draft = self
    plan = try RowSchedule(problem, overriding: schedule) { plan throws(NPUError) in
      var kernel = draft
      kernel.plan = plan
      return try kernel.sequence(IndexTensors([:]))
    }
  }

  /// Slots of the ring of x: two tiles of whole rows are in use while the next ones arrive.
  private static func inputSlots(stages: Int, isWhole: Bool) -> Int {
    isWhole ? stages + 2 : stages
  }

  /// Slots of the weight: all of it, or a ring of its parts.
  private static func weightSlots(isWhole: Bool) -> Int { isWhole ? 1 : 2 }

  public var buffers: BufferPlan { plan.buffers(problem) }

  private static func buffers(
    _ tile: RowSchedule, columns: Int, scaled: ElementFormat, _ machine: MachineConfiguration
  ) -> BufferPlan {
    let isWhole = tile.tileColumns >= columns
    func ring(
      _ name: String, _ format: ElementFormat, _ slots: Int, rows: Int? = nil, columns: Int? = nil
    ) -> PlannedBuffer {
      PlannedBuffer(
        name, .ub, format, slots: slots, rows: rows ?? tile.tileRows,
        columns: columns ?? tile.tileColumns)
    }
    return BufferPlan([
      ring("x", .bf16, inputSlots(stages: tile.stages, isWhole: isWhole)),
      ring("weight", .bf16, weightSlots(isWhole: isWhole), rows: 1),
      ring("squares", .f32, 1), ring("scaled", scaled, 1), ring("out", .bf16, tile.stages),
      ring("partials", .f32, 2, columns: min(machine.vector.lanes, columns)),
      ring("ss", .f32, 2, columns: 1), ring("inv", .f32, 3, columns: 1),
    ])
  }

  public var shape: [(name: String, value: String)] {
    [("rows", "\(rows)"), ("cols", "\(columns)"), ("eps", "\(epsilon)")]
  }

  public static var scheduleDeclaration: [ScheduleField] { RowSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    [
      TensorSpec("x", .bf16, [rows, columns], role: .input),
      TensorSpec("weight", .bf16, [columns], role: .input),
      TensorSpec("ss", .f32, [rows, 1], role: .intermediate),
      TensorSpec("inv", .f32, [rows, 1], role: .intermediate),
      TensorSpec("out", .bf16, [rows, columns], role: .output),
    ]
  }

  /// Each tensor once; the four passes over the elements.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let elements = Int64(rows) * Int64(columns)
    work.move(2 * (elements + Int64(columns)), .hbmToUB)
    work.move(2 * elements, .ubToHBM)
    work.pass(2 * elements, .mul)
    work.pass(elements, .rowSum)
    work.pass(elements, .rowBroadcast)
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(rows), "rows") }

  public var referenceUnits: Int { rows }
  public var macsPerUnit: Int { columns }
  public var outputsPerUnit: Int { columns }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try RMSNormReference(self, inputs, settings: settings)
  }
}
