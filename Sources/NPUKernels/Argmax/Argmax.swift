import NPUSim

/// argmax: the place of the first maximum of each row, such as the likeliest token.
///
///     index   = the lowest column with the largest element; NaN is the largest, the first NaN wins
///     maximum = that element as it is, widened to FP32
///
/// Where several elements of a row are the largest the lowest column wins, and the report says in how
/// many of the verified rows.
///
/// Shapes: x [rows, cols] BF16; index [rows] I32; maximum [rows, 1] FP32. Traffic: x once. A row may
/// be longer than `ub`: place and maximum so far go on from tile to tile, and no bit depends on where
/// it is cut.
public struct Argmax: Kernel {
  public static let name = "argmax"
  public static let summary = "place of the first maximum of each row"

  public static let options: [KernelOption] = [
    KernelOption("rows", .integer(standard: 1, minimum: 1), "tokens"),
    ModelOption.extent("cols", 32000, "size of the vocabulary"),
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
    columns = arguments.integer("cols", otherwise: model?.vocabulary ?? 32000)
    self.machine = machine
    try ShapeLimits.check(
      [("rows", rows), ("cols", columns)], bytes: [[rows, columns, 2], [rows, 4]],
      machine: machine)
    problem = RowSchedule.Problem(
      kernel: Self.name, rows: rows, columns: columns,
      machine: machine, rings: Self.buffers)
    plan = try RowSchedule(problem, overriding: schedule)
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  private static func buffers(_ tile: RowSchedule) -> BufferPlan {
    let (rows, slots) = (tile.tileRows, tile.stages)
    return BufferPlan([
      PlannedBuffer("x", .ub, .bf16, slots: slots, rows: rows, columns: tile.tileColumns),
      PlannedBuffer("index", .ub, .i32, slots: slots, rows: rows, columns: 1),
      PlannedBuffer("maximum", .ub, .f32, slots: slots, rows: rows, columns: 1),
    ])
  }

  public var shape: [(name: String, value: String)] {
    [("rows", "\(rows)"), ("cols", "\(columns)")]
  }

  public static var scheduleDeclaration: [ScheduleField] { RowSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    [
      TensorSpec("x", .bf16, [rows, columns], role: .input),
      TensorSpec("maximum", .f32, [rows, 1], role: .intermediate),
      TensorSpec("index", .i32, [rows], role: .output),
    ]
  }

  /// x once, one place a row, one pass.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let elements = Int64(rows) * Int64(columns)
    work.move(2 * elements, .hbmToUB)
    work.move(4 * Int64(rows), .ubToHBM)
    work.pass(elements, .rowMax)
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(rows), "rows") }

  public var referenceUnits: Int { rows }
  public var macsPerUnit: Int { columns }
  public var outputsPerUnit: Int { 1 }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try ArgmaxReference(self, inputs)
  }
}
