import NPUSim

/// residual_add: what a transformer block makes is added to what went in.
///
///     out = bf16(fl32(x + residual))               elementwise
///
/// Shapes: x, residual and out [rows, cols], BF16. Traffic: two tensors in, one out, 6 bytes an
/// element for one addition: HBM decides.
public struct ResidualAdd: Kernel {
  public static let name = "residual_add"
  public static let summary = "sum of two activations, rounded once"

  public static let options: [KernelOption] = [
    KernelOption("rows", .integer(standard: 32, minimum: 1), "tokens"),
    ModelOption.extent("cols", 4096, "width of the residual stream"),
    ModelOption.option,
  ]

  let rows: Int
  let columns: Int
  public let machine: MachineConfiguration
  private let problem: RowSchedule.Problem
  let plan: RowSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let model = try ModelOption.model(arguments)
    rows = arguments.integer("rows")
    columns = arguments.integer("cols", otherwise: model?.hidden ?? 4096)
    self.machine = machine
    try ShapeLimits.check(
      [("rows", rows), ("cols", columns)], bytes: [[rows, columns, 6]], machine: machine)
    problem = RowSchedule.Problem(
      kernel: Self.name, rows: rows, columns: columns, machine: machine,
      rings: Self.buffers)
    plan = try RowSchedule(problem, overriding: schedule)
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  private static func buffers(_ tile: RowSchedule) -> BufferPlan {
    BufferPlan(
      ["x", "residual", "out"].map {
        PlannedBuffer(
          $0, .ub, .bf16, slots: tile.stages, rows: tile.tileRows, columns: tile.tileColumns)
      })
  }

  public var shape: [(name: String, value: String)] {
    [("rows", "\(rows)"), ("cols", "\(columns)")]
  }

  public static var scheduleDeclaration: [ScheduleField] { RowSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    let shape = [rows, columns]
    return [
      TensorSpec("x", .bf16, shape, role: .input),
      TensorSpec("residual", .bf16, shape, role: .input),
      TensorSpec("out", .bf16, shape, role: .output),
    ]
  }

  /// Each tensor once, one pass of the vector unit.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let elements = Int64(rows) * Int64(columns)
    work.move(4 * elements, .hbmToUB)
    work.move(2 * elements, .ubToHBM)
    work.pass(elements, .add)
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(rows), "rows") }

  public var referenceUnits: Int { rows }
  public var macsPerUnit: Int { columns }
  public var outputsPerUnit: Int { columns }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try ResidualAddReference(self, inputs)
  }
}
