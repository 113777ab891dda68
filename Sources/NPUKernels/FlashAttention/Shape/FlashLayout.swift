import NPUSim

/// What a schedule of a rung keeps in each memory of a core that has work.
protocol FlashLayout: Sendable {
  var buffers: BufferPlan { get }
}
