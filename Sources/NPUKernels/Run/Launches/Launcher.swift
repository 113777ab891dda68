import NPUSim

/// Runs launches on one machine. What a launch is without its tensors is built, proved and timed once, and
/// kept: a second one of the same kernel, flags, schedule, views and indices costs its values alone.
public struct Launcher {
  public let machine: MachineConfiguration
  private var kernels: [KernelCall: any Kernel] = [:]
  private var programs: [LaunchProgram.Key: LaunchProgram] = [:]

  public init(_ machine: MachineConfiguration) { self.machine = machine }

  /// How far a launch goes, and how much of it is compared.
  public struct Plan: Sendable, Hashable {
    /// Up to ``RunPlan/timing`` no byte is taken or read but of index tensors.
    public var plan: RunPlan
    /// What of the outputs is compared with the reference on the inputs that the launch got. Where none
    /// is, the inputs are not copied, and not judged.
    public var verification: RunRequest.Verification
    /// Of the sample.
    public var seed: UInt64
    public var memoryLimit: MemoryLimit

    public init(
      _ plan: RunPlan, verification: RunRequest.Verification = .standard, seed: UInt64 = 0,
      memoryLimit: MemoryLimit = .ofProcess()
    ) {
      self.plan = plan
      self.verification = verification
      self.seed = seed
      self.memoryLimit = memoryLimit
    }
  }

  /// What a launch gave beside the words in memory.
  public struct Outcome: Sendable {
    public let proof: Proof
    /// `nil` where the plan does not go so far.
    public fileprivate(set) var timing: RunReport.Timing?
    /// Output elements that were compared, and how many there are.
    public fileprivate(set) var checkedOutputs = 0
    public let totalOutputs: Int
    /// Bytes that cross HBM, in whole bursts.
    public let hbmBytes: Int64
    /// The intermediates that were asked for, by the kernel's names; empty where no words were made.
    public fileprivate(set) var inner: [String: Tensor] = [:]
  }

  /// How many programs were built.
  public var programCount: Int { programs.count }

  /// The kernel of a call, made once. Throws as its initialiser.
  public mutating func kernel(_ call: KernelCall) throws(NPUError) -> any Kernel {
    if let known = kernels[call] { return known }
    let type = try Catalog.kernel(named: call.kernel)
    let arguments = try KernelArguments(
      kernel: call.kernel, options: type.options, values: call.arguments)
    let kernel = try type.init(arguments, machine: machine, schedule: call.schedule)
    kernels[call] = kernel
    return kernel
  }

  /// Runs a launch as far as planned: what it writes is in `memory` then.
  ///
  /// Throws `.usage` for bindings that are not the kernel's, `.tensor` for views that are no tensors of
  /// it, `.program` for a program that is not clean, for a read of what was never written and for a word
  /// that differs from the reference. All of them name the launch.
  ///
  /// - Parameter names: intermediates whose words are to be kept.
  public mutating func run(
    _ launch: Launch, on memory: TensorMemory, _ plan: Plan = Plan(.values),
    keeping names: [String] = []
  ) throws(NPUError) -> Outcome {
    do throws(NPUError) {
      return try perform(launch, memory, plan, keeping: names)
    } catch {
      let name = launch.description
      guard !error.message.hasPrefix(name) else { throw error }
      var named = error
      named.message = "\(name): \(error.message)"
      throw named
    }
  }

  private mutating func perform(
    _ launch: Launch, _ memory: TensorMemory, _ plan: Plan, keeping names: [String]
  ) throws(NPUError) -> Outcome {
    let kernel = try kernel(launch.call)
    try launch.check(kernel.tensors)
    for name in launch.bindings.keys.sorted() {
      if let binding = launch.bindings[name] { try memory.check(binding) }
    }
    var (bindings, tensors) = launch.settled(kernel.tensors)
    for spec in kernel.tensors where spec.role == .index { bindings[spec.name] = nil }
    let key = LaunchProgram.Key(
      call: launch.call, bindings: bindings, indices: try indices(kernel, launch, memory))
    var built = if let known = programs[key] { known } else { try LaunchProgram(kernel, key) }
    if plan.plan >= .timing { try built.time() }
    programs[key] = built
    var outcome = Outcome(
      proof: built.proof, timing: built.timing,
      totalOutputs: kernel.referenceUnits * kernel.outputsPerUnit, hbmBytes: built.hbmBytes)
    guard plan.plan >= .values else { return outcome }
    var request = RunRequest(kernel: launch.call.kernel, machine: machine)
    request.verification = plan.verification
    try RunMemory.need(of: kernel, built.program, request).require(plan.memoryLimit)
    var storages: [String: TensorStorage] = [:]
    for (name, tensor) in tensors { storages[name] = try memory.storage(of: tensor) }
    let run = LaunchRun(launch, built, memory, plan)
    let result = try run.execute(storages, keeping: names)
    (outcome.checkedOutputs, outcome.inner) = (result.checked, result.inner)
    return outcome
  }

  private func indices(
    _ kernel: any Kernel, _ launch: Launch, _ memory: TensorMemory
  ) throws(NPUError) -> IndexTensors {
    var lists: [String: [Int32]] = [:]
    for spec in kernel.tensors where spec.role == .index {
      guard let binding = launch.bindings[spec.name] else { continue }
      let words = try memory.read(binding)
      guard binding.view.form.format == spec.format, binding.view.elements == spec.elements,
        words.isComplete
      else {
        throw NPUError(
          .tensor,
          "\(spec.name): found \(binding.view.shape) of '\(binding.tensor)', \(binding.view.form)"
            + "\(words.isComplete ? "" : ", not all of it written"), needed \(spec.elements) numbers "
            + "as \(spec.format.name)")
      }
      lists[spec.name] = try Tensor(
        dtype: spec.format.dtype, shape: spec.shape, storage: words.payload
      ).words(as: Int32.self)
    }
    return IndexTensors(lists)
  }
}
