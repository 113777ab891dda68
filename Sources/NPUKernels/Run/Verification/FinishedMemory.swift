import NPUSim

/// The HBM tensors of a machine after a run. Bytes that were never written are 0.
///
/// Any thread may read them: its maker runs nothing on the machine any more.
struct FinishedMemory: @unchecked Sendable {
  private let state: MachineState

  /// The memory of a machine on which nothing will run any more.
  init(_ state: MachineState) {
    self.state = state
    for (index, buffer) in state.buffers.enumerated() where buffer.space == .hbm {
      state.clearUnwritten(UInt32(index))
    }
  }

  /// Lends the payload and the scale bytes of a tensor.
  func withTensor<Result>(
    _ id: UInt32, _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Result
  ) -> Result {
    state.withTensor(id, body)
  }
}
