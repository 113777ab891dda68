import NPUSim

/// What a schedule of a rung keeps in each memory of a core that has work.
protocol FlashLayout: Sendable {
  var buffers: BufferPlan { get }
  /// The event IDs that the machine has too few of, in words, or `nil`.
  func shortage(_ machine: MachineConfiguration) -> String?
}

extension FlashLayout {
  func shortage(_ machine: MachineConfiguration) -> String? { nil }
}
