import NPUSim

/// linear: `out = x · weightᵀ`, activations times the weights of a layer as checkpoints store them.
///
///     x [tokens, in] · weight [out, in]ᵀ = out [tokens, out]
///     product = MXINT8(x) · weightᵀ               block MACs in ascending in, rounded to the output's type
///     out     = product
///     out     = fl32(product + residual)          with --residual, rounded to the output's type
///     out     = fl32(bf16(silu(gate)) · product)  with --gate, rounded to the output's type
///
/// Shapes: x, residual and gate BF16, weight MXINT8 with blocks along in; x is encoded on chip. These are the
/// words of gemm with BF16 operands and weight transposed. With `--residual` the product rounds before the
/// sum does, so that the words are those of linear and residual_add one after the other. With `--gate` they
/// are those of swiglu's h, the product being its u and the gate its a.
///
/// Traffic: for few tokens the weights, in · out · 33/32 bytes, are everything, and cross HBM once. For
/// many, tiles of x or of the weights stay in `l1` while the other's pass, as in gemm, and what stays is
/// encoded once. MACs: tokens · in · out.
public struct Linear: Kernel {
  public static let name = "linear"
  public static let summary =
    "activations times weights [out, in] in MXINT8, with or without residual"

  public static let options: [KernelOption] = [
    KernelOption("tokens", .integer(standard: 1, minimum: 1), "rows of x"),
    ModelOption.extent("in", 4096, "columns of x and of the weights"),
    ModelOption.extent("out", 4096, "rows of the weights: columns of the output"),
    KernelOption("residual", .flag, "add a residual to the product"),
    KernelOption("gate", .flag, "multiply the product with the silu of a gate"),
    GemmForm.output,
    ModelOption.option,
  ]

  let problem: GemmProblem

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let model = try ModelOption.model(arguments)
    let tokens = arguments.integer("tokens")
    let depth = arguments.integer("in", otherwise: model?.hidden ?? 4096)
    let width = arguments.integer("out", otherwise: model?.hidden ?? 4096)
    problem = try GemmProblem(
      m: tokens, n: width, k: depth,
      GemmForm(
        arguments, input: .bf16, other: .mxint8, layout: .lines,
        partner: try Self.partner(arguments)),
      interface: GemmProblem.Interface(
        input: ("x", [tokens, depth]), other: ("weight", [width, depth]),
        output: ("out", [tokens, width]), otherAxis: .alongColumns, flags: ("tokens", "out", "in")),
      named: Self.name, machine: machine, schedule: schedule)
  }

  private static func partner(
    _ arguments: KernelArguments
  ) throws(NPUError) -> GemmForm.Partner? {
    guard arguments.flag("gate") else { return arguments.flag("residual") ? .residual : nil }
    guard !arguments.flag("residual") else {
      throw NPUError(
        .usage, "found --residual and --gate, needed one of the two at most",
        hint: "add the residual by a launch of residual_add")
    }
    return .gate
  }

  public var shape: [(name: String, value: String)] {
    [
      ("tokens", "\(problem.m)"), ("in", "\(problem.k)"), ("out", "\(problem.n)"),
      ("residual", problem.form.partner == .residual ? "yes" : "no"),
      ("gate", problem.form.partner == .gate ? "yes" : "no"),
      ("output", problem.form.result.name),
    ]
  }

  public var throughput: (count: Double, unit: String) { (Double(problem.m), "tokens") }
}

extension Linear: GemmFamily {
  /// By itself and with each of what it may meet.
  static var forms: [GemmForm] {
    [nil, .residual, .gate].map {
      GemmForm(input: .bf16, other: .mxint8, result: .bf16, layout: .lines, partner: $0)
    }
  }
}
