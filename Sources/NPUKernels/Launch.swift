import NPUSim

/// A kernel by name, with the flags and the schedule that users would type.
public struct KernelCall: Sendable, Hashable {
  public var kernel: String
  /// The kernel's flags, names without dashes.
  public var arguments: [String: String]
  /// Fields of the schedule to replace: `name=value,…`.
  public var schedule: String?

  public init(_ kernel: String, _ arguments: [String: String] = [:], schedule: String? = nil) {
    self.kernel = kernel
    self.arguments = arguments
    self.schedule = schedule
  }
}

/// One run of a kernel on tensors that others use, too: which kernel, and what its tensors are.
///
/// Inputs, updated and index tensors are bound; an output that is not bound is made and dropped.
/// Intermediates are no memory of anybody else.
public struct Launch: Sendable, Hashable {
  /// What messages call it, such as `layer 3 attention norm`.
  public var name: String
  public var call: KernelCall
  /// Views of a memory's tensors, by the kernel's names.
  public var bindings: TensorBindings

  public init(_ name: String, _ call: KernelCall, _ bindings: TensorBindings) {
    self.name = name
    self.call = call
    self.bindings = bindings
  }

  /// The bindings with a name of the kernel's in the place of each tensor's: that of the first of `specs`
  /// that is bound to it. And the names of the tensors by these.
  ///
  /// So two launches that differ in nothing but which tensors they use have the same program.
  func settled(_ specs: [TensorSpec]) -> (bindings: TensorBindings, tensors: [String: String]) {
    var names: [String: String] = [:]
    var settled: TensorBindings = [:]
    for spec in specs {
      guard let binding = bindings[spec.name] else { continue }
      let name = names[binding.tensor] ?? spec.name
      names[binding.tensor] = name
      settled[spec.name] = TensorBinding(name, binding.view)
    }
    return (settled, Dictionary(uniqueKeysWithValues: names.map { ($0.value, $0.key) }))
  }

  /// Refuses bindings that a kernel does not have, and those that it lacks. Throws `.usage`.
  func check(_ specs: [TensorSpec]) throws(NPUError) {
    let names = specs.filter { $0.role != .intermediate }.map(\.name)
    if let wrong = bindings.keys.sorted().first(where: { !names.contains($0) }) {
      let isInner = specs.contains { $0.name == wrong }
      throw NPUError(
        .usage,
        "\(self): \(wrong) is \(isInner ? "an intermediate" : "no tensor") of \(call.kernel), found it bound",
        hint: DidYouMean.hint(for: wrong, among: names) ?? "bind \(names.joined(separator: ", "))")
    }
    if let missing = specs.first(where: { $0.role.isGiven && bindings[$0.name] == nil }) {
      throw NPUError(
        .usage, "\(self): the \(missing.role.label) \(missing.name) is bound to no tensor",
        hint: "bind all that \(call.kernel) reads")
    }
  }
}

extension Launch: CustomStringConvertible {
  /// What messages call it, with the kernel.
  public var description: String { "launch '\(name)' (\(call.kernel))" }
}
