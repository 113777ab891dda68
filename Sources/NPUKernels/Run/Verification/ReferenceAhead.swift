import NPUSim
import Synchronization

/// The reference of a run on a thread of its own: the units to verify, from the first on, are
/// evaluated while the datapath executes.
final class ReferenceAhead: Sendable {
  /// Most bytes of evaluated units that are kept until they are compared.
  static let mostBytes = 1 << 25

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
      while evaluated.count < units.count {
        if isAsked.value.load(ordering: .relaxed) || bytes > Self.mostBytes { break }
        let next = reference.evaluate(
          units: units[evaluated.count...].prefix(reference.unitsTogether))
        bytes += next.reduce(0) { $0 + $1.bytes }
        evaluated += next
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
