import NPUSim

extension IndexTensors {
  /// Those of a kernel: from a file where given, otherwise from the seed.
  ///
  /// Throws `.tensor` for a number that I32 does not hold.
  public init(_ kernel: any Kernel, seed: UInt64, plan: InputPlan? = nil) throws(NPUError) {
    try self.init(kernel, seed: seed, given: try plan?.read(indicesOnly: true))
  }

  init(_ kernel: any Kernel, seed: UInt64, given: GivenInputs?) throws(NPUError) {
    var lists: [String: [Int32]] = [:]
    for spec in kernel.tensors where spec.role == .index {
      let value = try RunInputs.value(of: spec, kernel, seed: seed, given: given)
      guard case .plain(let tensor) = value else { continue }
      lists[spec.name] = try tensor.words(as: Int32.self)
    }
    self.init(lists)
  }
}

extension Kernel {
  /// The program for the index tensors of seed 0.
  public func program() throws(NPUError) -> Program {
    try program(IndexTensors(self, seed: 0))
  }
}
