import NPUSim
import Synchronization

/// The reference of a run on a thread of its own: the units to verify, from the first on, are
/// evaluated while the datapath executes.
final class ReferenceAhead: Sendable {
  /// Most bytes of evaluated units that are kept until they are compared.
  private static let mostBytes = 1 << 26

  /// What was evaluated until somebody asked.
  struct Evaluated: Sendable {
    let reference: any KernelReference
    /// The first units to verify, maybe none.
    let units: [ReferenceUnit]
  }

  private let isAsked: Flag
  private let task: SideTask<Evaluated>

  /// Begins with the first unit once the inputs are there.
  init(
    _ kernel: any Kernel, units: [Int], inputs: SideTask<RunInputs>, settings: DatapathSettings
  ) {
    let isAsked = Flag()
    self.isAsked = isAsked
    task = SideTask { () throws(NPUError) in
      let reference = try kernel.reference(inputs.value().values, settings: settings)
      var evaluated: [ReferenceUnit] = []
      var bytes = 0
      for unit in units {
        if isAsked.value.load(ordering: .relaxed) || bytes > Self.mostBytes { break }
        evaluated.append(reference.evaluate(unit: unit))
        bytes += evaluated.last?.bytes ?? 0
      }
      return Evaluated(reference: reference, units: evaluated)
    }
  }

  /// Ends the evaluation with the unit it is at. Throws what the inputs or the reference threw.
  func evaluated() throws(NPUError) -> Evaluated {
    isAsked.value.store(true, ordering: .relaxed)
    return try task.value()
  }

  private final class Flag: Sendable {
    let value = Atomic(false)
  }
}
