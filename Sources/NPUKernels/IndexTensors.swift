import NPUSim

/// The index tensors of a kernel by name: slot mappings, block tables, token ids. They are bound when
/// a program is built, and immutable from then on.
public struct IndexTensors: Sendable, Hashable {
  private var lists: [String: [Int32]]

  /// Given lists, flattened, last dimension fastest.
  public init(_ lists: [String: [Int32]]) { self.lists = lists }

  /// Those of a kernel: from a file where given, otherwise from the seed.
  ///
  /// Throws `.tensor` for a number that I32 does not hold.
  public init(_ kernel: any Kernel, seed: UInt64, plan: InputPlan? = nil) throws(NPUError) {
    try self.init(kernel, seed: seed, given: try plan?.read(indicesOnly: true))
  }

  init(_ kernel: any Kernel, seed: UInt64, given: GivenInputs?) throws(NPUError) {
    lists = [:]
    for spec in kernel.tensors where spec.role == .index {
      let value = try RunInputs.value(of: spec, kernel, seed: seed, given: given)
      guard case .plain(let tensor) = value else { continue }
      lists[spec.name] = try tensor.words(as: Int32.self)
    }
  }

  /// The numbers of a tensor; none where the kernel has no such tensor.
  public subscript(name: String) -> [Int32] { lists[name] ?? [] }
}
