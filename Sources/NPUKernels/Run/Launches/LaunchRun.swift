import NPUSim

/// The values of a launch: executed where the tensors are, and compared with the reference on the inputs
/// that it got.
struct LaunchRun {
  private let launch: Launch
  private let built: LaunchProgram
  private let memory: TensorMemory
  private let plan: Launcher.Plan

  init(
    _ launch: Launch, _ built: LaunchProgram, _ memory: TensorMemory, _ plan: Launcher.Plan
  ) {
    self.launch = launch
    self.built = built
    self.memory = memory
    self.plan = plan
  }

  /// What an execution gave beside the words in memory.
  struct Result {
    /// Outputs that were compared.
    var checked = 0
    /// The intermediates that were asked for.
    var inner: [String: Tensor] = [:]
  }

  /// Executes on the storages of the program's tensors, and keeps some of the intermediates.
  func execute(
    _ storages: [String: TensorStorage], keeping names: [String]
  ) throws(NPUError) -> Result {
    let (kernel, program) = (built.kernel, built.program)
    let units = Verifier.units(of: kernel, plan.verification, seed: plan.seed)
    var ahead: ReferenceAhead?
    var values: [String: TensorValue] = [:]
    if !units.isEmpty {
      // Copied before anything is written: what is updated in place is an input as it was.
      values = try self.values { $0.isGiven }
      let inputs = try RunInputs(kernel, values)
      ahead = ReferenceAhead(
        kernel, units: units, inputs: SideTask { () throws(NPUError) in inputs },
        settings: DatapathSettings(program.machine))
    }
    let state = try MachineState(program, storages: storages)
    let result = try FunctionalEngine.run(
      program, state: state,
      options: FunctionalOptions(runsCoresConcurrently: built.proof.isProved))
    var given = Result()
    guard ahead != nil || !names.isEmpty else { return given }
    values.merge(try self.values { $0.isMade }) { _, made in made }
    let tensors = RunTensors(
      kernel.tensors, program: program, memory: FinishedMemory(state), taps: result.taps,
      known: values)
    for spec in kernel.tensors where names.contains(spec.name) {
      given.inner[spec.name] = try tensors.tensor(spec)
    }
    guard let ahead else { return given }
    let compared = Verifier(kernel, tensors).verify(try ahead.evaluated(), units: units)
    if let first = compared.first {
      throw NPUError(
        .program,
        "\(launch): "
          + Runner.mismatch(first, compared, kernel, WriterIndex(program)).message,
        hint: "run the kernel alone on these inputs, step by step with --dump")
    }
    given.checked = compared.checkedOutputs
    return given
  }

  /// The words of bound tensors of some roles.
  private func values(
    _ isWanted: (TensorSpec.Role) -> Bool
  ) throws(NPUError) -> [String: TensorValue] {
    var values: [String: TensorValue] = [:]
    for spec in built.kernel.tensors where isWanted(spec.role) {
      guard let binding = launch.bindings[spec.name] else { continue }
      values[spec.name] = try TensorValue(spec, memory.read(binding))
    }
    return values
  }
}
