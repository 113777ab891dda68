import NPUSim

/// A kernel among others in one program.
extension Kernel {
  /// Emits the kernel under a name of its own, its tensors bound to those of the program. What it takes
  /// on chip is given back at its end.
  ///
  /// Micro-ops of a core come behind those of the kernels before as far as they share bytes. What one
  /// core makes and another one reads is ordered by ``ProgramBuilder/joinCores()``, between the two kernels.
  ///
  /// Throws `.program` for a builder of another machine, as ``ProgramBuilder/scoped(_:bindings:_:)`` does,
  /// and as ``emit(_:into:)`` does.
  public func emit(
    _ indices: IndexTensors = IndexTensors([:]), into p: inout ProgramBuilder, as name: String,
    bindings: TensorBindings = [:]
  ) throws(NPUError) {
    guard p.machine == machine else {
      throw NPUError(
        .program,
        "'\(name)' has a schedule for \(machine.name), and the program is for \(p.machine.name)",
        hint: "make both for one machine")
    }
    let mark = p.mark()
    try p.scoped(name, bindings: bindings) { p throws(NPUError) in try emit(indices, into: &p) }
    try p.release(to: mark)
  }
}

extension ProgramBuilder {
  /// Lets every core wait until all others are as far: what they made in HBM is there. A machine with one
  /// core needs none.
  public mutating func joinCores() {
    guard machine.cores > 1 else { return }
    let current = core
    for core in 0..<machine.cores {
      begin(core: core)
      emit(ChipBarrier())
    }
    begin(core: current)
  }
}
