import NPUSim

/// embedding: rows of a table by token id.
///
///     out[t] = table[ids[t]]
///
/// Shapes: table [vocab, hidden] and out [tokens, hidden], BF16; ids [tokens] I32, bound when the
/// program is built. Nothing is computed. Traffic: each token's row in and out, 4 bytes an element;
/// the rest of the table stays where it is.
public struct Embedding: Kernel {
  public static let name = "embedding"
  public static let summary = "rows of a table gathered by token id"

  public static let options: [KernelOption] = [
    KernelOption("tokens", .integer(standard: 32, minimum: 1), "rows to gather"),
    ModelOption.extent("vocab", 32000, "rows of the table"),
    ModelOption.extent("hidden", 4096, "width of a row"),
    ModelOption.option,
  ]

  let tokens: Int
  let vocabulary: Int
  let hidden: Int
  public let machine: MachineConfiguration
  private let problem: RowSchedule.Problem
  let plan: RowSchedule

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let model = try ModelOption.model(arguments)
    tokens = arguments.integer("tokens")
    vocabulary = arguments.integer("vocab", otherwise: model?.vocabulary ?? 32000)
    hidden = arguments.integer("hidden", otherwise: model?.hidden ?? 4096)
    self.machine = machine
    try ShapeLimits.check(
      [("tokens", tokens), ("vocab", vocabulary), ("hidden", hidden)],
      bytes: [[vocabulary, hidden, 2], [tokens, hidden, 2]], machine: machine)
    problem = RowSchedule.Problem(
      kernel: Self.name, rows: tokens, columns: hidden, machine: machine,
      rings: Self.buffers)
    plan = try RowSchedule(problem, overriding: schedule)
  }

  public var buffers: BufferPlan { plan.buffers(problem) }

  private static func buffers(_ tile: RowSchedule) -> BufferPlan {
    BufferPlan([
      PlannedBuffer(
        "rows", .ub, .bf16, slots: tile.stages, rows: tile.tileRows, columns: tile.tileColumns)
    ])
  }

  public var shape: [(name: String, value: String)] {
    [("tokens", "\(tokens)"), ("vocab", "\(vocabulary)"), ("hidden", "\(hidden)")]
  }

  public static var scheduleDeclaration: [ScheduleField] { RowSchedule.declaration }
  public var scheduleFields: ScheduleFields { plan.fields }

  public var tensors: [TensorSpec] {
    [
      TensorSpec("ids", .i32, [tokens], role: .index),
      TensorSpec("table", .bf16, [vocabulary, hidden], role: .input),
      TensorSpec("out", .bf16, [tokens, hidden], role: .output),
    ]
  }

  /// Token ids that no file gives: any of the vocabulary, alike.
  public func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue? {
    guard spec.name == "ids" else { return nil }
    let source = SeededInput(seed: seed, name: spec.name)
    let ids = (0..<tokens).map { UInt32(source.word($0) % UInt64(vocabulary)) }
    return .plain(
      try Tensor(
        dtype: .i32, shape: spec.shape,
        storage: ReferenceSlice(spec.name, start: 0, words: ids).bytes))
  }

  /// A row in and out for each token.
  public var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let bytes = 2 * Int64(tokens) * Int64(hidden)
    work.move(bytes, .hbmToUB)
    work.move(bytes, .ubToHBM)
    return work
  }

  public var throughput: (count: Double, unit: String) { (Double(tokens), "tokens") }

  public var referenceUnits: Int { tokens }
  public var macsPerUnit: Int { hidden }
  public var outputsPerUnit: Int { hidden }

  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try EmbeddingReference(self, inputs)
  }
}
