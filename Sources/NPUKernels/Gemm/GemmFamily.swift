import NPUSim

/// A kernel that is a ``GemmProblem`` under other names.
protocol GemmFamily: Kernel {
  /// What its products may take and make.
  static var forms: [GemmForm] { get }
  var problem: GemmProblem { get }
}

extension GemmFamily {
  public var machine: MachineConfiguration { problem.machine }

  /// Both operands in either type.
  static var forms: [GemmForm] {
    [ElementFormat.mxint8, .bf16].map {
      GemmForm(input: $0, other: $0, result: .bf16, layout: .columns)
    }
  }

  public static var scheduleDeclaration: [ScheduleField] { GemmSchedule.declaration(for: forms) }
  public var scheduleFields: ScheduleFields { problem.plan.fields(problem.form) }

  public var buffers: BufferPlan { problem.buffers }

  public var tensors: [TensorSpec] { problem.tensors }

  /// Each operand once, the result once, every MAC.
  public var compulsory: CompulsoryWork { problem.compulsory }

  /// The micro-op program: output tiles split over the cores, each core's tiles one pipeline.
  public func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError) {
    try problem.emit(into: &p)
  }

  public var referenceUnits: Int { problem.referenceUnits }

  public var macsPerUnit: Int { problem.k * problem.unitColumns }

  public var outputsPerUnit: Int { problem.unitColumns }

  /// The right operand as FP32 values and as payloads, twice while it is encoded, where it does not
  /// come encoded.
  public var referenceBytes: Int {
    problem.form.encodes(.other) ? 7 * problem.k * problem.n : 0
  }

  /// The pure reference; one unit is a row of the output, or a part of it.
  public func reference(
    _ inputs: [String: TensorValue], settings: DatapathSettings
  ) throws(NPUError) -> any KernelReference {
    try GemmReference(problem, inputs, settings: settings)
  }
}
