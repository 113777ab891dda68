import NPUSim

/// cache_store: rows in BF16 to where a cache keeps them, as MXINT8 or as they are.
///
///     mxint8: E       = the largest exponent field of a block of 32
///             B       = E, or 255 where an element of it is not finite
///             payload = RNE(x · 2^(133 − E)), held within ±127
///     bf16:   out     = x
///
/// Shapes: x [slots, rows, cols] in BF16, such as a slot for each head; out the same with blocks along
/// the columns. Along the rows it has whole blocks, [slots, 32 · ⌈rows / 32⌉, cols]: the rows that are
/// not there are zeros. Traffic: 2 bytes an element in; out 2, or 1 and a scale for each block.
public struct CacheStore: Kernel {
  public static let name = "cache_store"
  public static let summary = "rows in BF16 as a cache keeps them: MXINT8, or as they are"

  public static let options: [KernelOption] = [
    KernelOption("slots", .integer(standard: 1, minimum: 1), "matrices, such as heads"),
    KernelOption("rows", .integer(standard: 32, minimum: 1), "rows of a matrix, such as tokens"),
    KernelOption("cols", .integer(standard: 4096, minimum: 1), "columns of a matrix"),
    KernelOption("format", .choice(["mxint8", "bf16"]), "format of out"),
    KernelOption("along", .choice(["columns", "rows"]), "what blocks of MXINT8 run along"),
  ]

  let slots: Int
  let rows: Int
  let columns: Int
  /// MXINT8 or BF16.
  let format: ElementFormat
  let axis: BlockAxis
  public let machine: MachineConfiguration
  private let problem: RowSchedule.Problem
  let plan: RowSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    slots = arguments.integer("slots")
    rows = arguments.integer("rows")
    columns = arguments.integer("cols")
    let format: ElementFormat = arguments.choice("format") == "bf16" ? .bf16 : .mxint8
    let axis: BlockAxis = arguments.choice("along") == "rows" ? .alongRows : .alongColumns
    try arguments.refuse("along", unless: format == .mxint8, needs: "--format mxint8")
    self.format = format
    self.axis = axis
    self.machine = machine
    try ShapeLimits.check(
      [("slots", slots), ("rows", rows), ("cols", columns)], bytes: [[slots, rows, columns, 4]],
      machine: machine)
    let block = format == .mxint8 ? MXINT8.blockSize : 1
    problem = RowSchedule.Problem(
      kernel: Self.name, rows: rows, columns: columns,
      columnUnit: axis == .alongColumns ? block : 1, rowUnit: axis == .alongRows ? block : 1,
      copies: slots, machine: machine
    ) { Self.buffers($0, format, axis) }
    plan = try RowSchedule(problem, overriding: schedule)
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  private static func buffers(
    _ tile: RowSchedule, _ format: ElementFormat, _ axis: BlockAxis
  ) -> BufferPlan {
    func ring(_ name: String, _ format: ElementFormat, _ axis: BlockAxis) -> PlannedBuffer {
      PlannedBuffer(
        name, .ub, format, slots: tile.stages, rows: tile.tileRows, columns: tile.tileColumns,
        axis: axis)
    }
    let x = ring("x", .bf16, .alongColumns)
    return BufferPlan(format == .bf16 ? [x] : [x, ring("out", format, axis)])
  }

  /// Whether out has rows that x has not.
  var fillsBlocks: Bool { format == .mxint8 && axis == .alongRows }

  /// Rows of a matrix of out.
  var outRows: Int { fillsBlocks ? MXINT8.blocks(rows) * MXINT8.blockSize : rows }

  public var shape: [(name: String, value: String)] {
    [
      ("slots", "\(slots)"), ("rows", "\(rows)"), ("cols", "\(columns)"),
      ("format", format.name), ("along", axis == .alongRows ? "rows" : "columns"),
    ]
  }

  public static var scheduleDeclaration: [ScheduleField] { RowSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    [
      TensorSpec("x", .bf16, [slots, rows, columns], role: .input),
      TensorSpec("out", format, [slots, outRows, columns], axis: axis, role: .output),
    ]
  }

  /// x once in, out once, and one pass over whole blocks.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let (count, width) = (Int64(slots), Int64(columns))
    work.move(2 * count * Int64(rows) * width, .hbmToUB)
    let elements = count * Int64(outRows) * width
    guard format == .mxint8 else {
      work.move(2 * elements, .ubToHBM)
      return work
    }
    let scales =
      axis == .alongRows
      ? elements / Int64(MXINT8.blockSize) : count * Int64(rows) * Int64(MXINT8.blocks(columns))
    work.move(elements + scales, .ubToHBM)
    work.pass(scales * Int64(MXINT8.blockSize), .encodeMX)
    return work
  }

  public var throughput: (count: Double, unit: String) {
    (Double(slots) * Double(rows), "rows")
  }

  /// A unit is a row, or a block of rows.
  public var referenceUnits: Int { slots * (fillsBlocks ? MXINT8.blocks(rows) : rows) }
  public var macsPerUnit: Int { outputsPerUnit }
  public var outputsPerUnit: Int { fillsBlocks ? MXINT8.blockSize * columns : columns }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try CacheStoreReference(self, inputs)
  }
}
