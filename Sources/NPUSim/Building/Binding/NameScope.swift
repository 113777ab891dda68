/// Whose names hold in a builder: those of the program, or of one of its kernels.
struct NameScope {
  /// What stands before the name of a buffer, a tap tensor or an index list.
  var prefix = ""
  /// The scope of micro-ops around all others.
  var label: UInt32 = 0
  private var bindings: TensorBindings = [:]
  /// The bound names that were asked for.
  private var asked: Set<String> = []
  /// The prefixes of all scopes so far.
  private var taken: Set<String> = []

  init() {}

  /// What a name is bound to; `nil` for a tensor of its own.
  mutating func binding(of name: String) -> TensorBinding? {
    guard let binding = bindings[name] else { return nil }
    asked.insert(name)
    return binding
  }

  /// Enters a scope within; one without a name has the names of the one around. Throws `.program` for a
  /// name that another one has.
  mutating func enter(_ name: String?, _ bindings: TensorBindings) throws(NPUError) {
    if let name {
      prefix += "\(name)."
      guard taken.insert(prefix).inserted else {
        throw NPUError(
          .program, "two parts of the program are named '\(prefix.dropLast())'",
          hint: "give each kernel a name of its own")
      }
    }
    self.bindings = bindings
    asked = []
  }

  /// Goes back to the scope around. Throws `.program` for a binding that nobody asked for.
  mutating func leave(to outer: NameScope) throws(NPUError) {
    let own = self
    self = outer
    taken = own.taken
    guard let unused = own.bindings.keys.sorted().first(where: { !own.asked.contains($0) }) else {
      return
    }
    let place = own.prefix.isEmpty ? "" : " in '\(own.prefix.dropLast())'"
    throw NPUError(
      .program, "a tensor '\(unused)' is bound\(place), and none of that name is declared there",
      hint: DidYouMean.hint(for: unused, among: own.asked.sorted()))
  }
}

extension ProgramBuilder {
  /// Lets a kernel declare and emit with names of its own: its buffers, taps and index lists are called
  /// `name.…`, its micro-ops have the scope `name` around theirs, and a tensor whose name is bound is
  /// the view that it is bound to. Without a name only the bindings hold. The core stays what it was.
  ///
  /// Throws `.program` for a name that another scope has and for a binding that `body` does not ask for,
  /// and what `body` throws.
  public mutating func scoped(
    _ name: String?, bindings: TensorBindings = [:],
    _ body: (inout ProgramBuilder) throws(NPUError) -> Void
  ) throws(NPUError) {
    let (outer, outerCore, outerStack) = (scope, core, scopeStack)
    try scope.enter(name, bindings)
    if let name { scope.label = addScope(name, within: outer.label) }
    begin(core: outerCore)
    try body(&self)
    begin(core: outerCore)
    try scope.leave(to: outer)
    scopeStack = outerStack
  }
}
