import NPUKernels
import NPUSim

/// A kernel and its flags as tests name them, run the way that users run it.
struct KernelCase: Sendable, Hashable, CustomStringConvertible {
  var kernel: String
  var arguments: [String: String]

  init(_ kernel: String, _ arguments: [String: String] = [:]) {
    self.kernel = kernel
    self.arguments = arguments
  }

  var description: String {
    kernel
      + arguments.sorted { $0.key < $1.key }.map { " --\($0.key) \($0.value)" }.joined()
  }

  /// A full run with lints and full verification.
  func run(
    on machine: MachineConfiguration, schedule: String? = nil, seed: UInt64 = 0,
    inputs: TensorSet? = nil
  ) throws(NPUError) -> Run {
    try KernelRun.run(
      kernel, arguments, on: machine, schedule: schedule, seed: seed, inputs: inputs)
  }

  /// What is wrong with a run, with its place; empty too where the schedule does not fit the machine
  /// and may miss it.
  func faults(
    on machine: MachineConfiguration, schedule: String?, seed: UInt64, mayMiss: Bool
  ) -> [String] {
    let place = "\(self) on \(machine.name), \(schedule ?? "own schedule"), seed \(seed)"
    do throws(NPUError) {
      let run = try run(on: machine, schedule: schedule, seed: seed)
      return KernelRun.faults(run.report).prefix(3).map { "\(place): \($0)" }
    } catch {
      return mayMiss && [.program, .usage].contains(error.category) ? [] : ["\(place): \(error)"]
    }
  }

  /// The kernel itself.
  func make(on machine: MachineConfiguration, schedule: String? = nil) throws(NPUError)
    -> any Kernel
  {
    try KernelRun.kernel(kernel, arguments, on: machine, schedule: schedule)
  }

  /// A seeded tenth of these cases × machines × schedules, or all of them in a full run, dealt out to
  /// `hands` so that they run side by side; what is wrong, one line each.
  static func faults(
    _ cases: [KernelCase], machines: [MachineConfiguration], schedules: [String?], seed: UInt64,
    hand: Int, of hands: Int
  ) -> [String] {
    var random = SeededGenerator(seed: seed)
    var faults: [String] = []
    for (index, one) in cases.enumerated() {
      for machine in machines {
        for schedule in schedules {
          let isChosen = random.below(10) == 0 || TestScale.isFull
          guard isChosen, index % hands == hand else { continue }
          // The memories of tiny hold few shapes, and a schedule is made for some of them only.
          faults += one.faults(
            on: machine, schedule: schedule, seed: seed,
            mayMiss: machine.name == "tiny" || schedule != nil)
        }
      }
    }
    return faults
  }

  /// The named machines, and the default one with three cores.
  static func machines() throws(NPUError) -> [MachineConfiguration] {
    var machines: [MachineConfiguration] = []
    for name in ["edge", "tiny", "ascend-910b-like", "ascend-950-like", "ideal"] {
      machines.append(try Presets.named(name).configuration)
    }
    var machine = machines[0]
    machine.cores = 3
    machine.name = "edge with 3 cores"
    machines.append(machine)
    return machines
  }

  /// What a refused case says, or `nil` where it is not refused.
  func refusal(on machine: String = "edge", schedule: String? = nil, inputs: TensorSet? = nil)
    -> String?
  {
    do throws(NPUError) {
      _ = try run(
        on: Presets.named(machine).configuration, schedule: schedule, inputs: inputs)
      return nil
    } catch {
      return "\(error)"
    }
  }
}
