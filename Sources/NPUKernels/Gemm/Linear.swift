import NPUSim

/// linear: `out = x · weightᵀ`, activations times the weights of a layer as checkpoints store them.
///
///     x [tokens, in] · weight [out, in]ᵀ = out [tokens, out]
///     product = MXINT8(x) · weightᵀ               block MACs in ascending in, rounded to the output's type
///     out     = product
///     out     = fl32(product + residual)          with --residual, rounded to the output's type
///
/// Shapes: x and residual BF16, weight MXINT8 with blocks along in; x is encoded on chip. These are the
/// words of gemm with BF16 operands and weight transposed. With `--residual` the product rounds before the
/// sum does, so that the words are those of linear and residual_add one after the other.
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
        hasResidual: arguments.flag("residual")),
      interface: GemmProblem.Interface(
        input: ("x", [tokens, depth]), other: ("weight", [width, depth]),
        output: ("out", [tokens, width]), otherAxis: .alongColumns, flags: ("tokens", "out", "in")),
      named: Self.name, machine: machine, schedule: schedule)
  }

  public var shape: [(name: String, value: String)] {
    [
      ("tokens", "\(problem.m)"), ("in", "\(problem.k)"), ("out", "\(problem.n)"),
      ("residual", problem.form.hasResidual ? "yes" : "no"),
      ("output", problem.form.result.name),
    ]
  }

  public var throughput: (count: Double, unit: String) { (Double(problem.m), "tokens") }
}

extension Linear: GemmFamily {
  /// With and without residual.
  static var forms: [GemmForm] {
    [false, true].map {
      GemmForm(
        input: .bf16, other: .mxint8, result: .bf16, layout: .lines, hasResidual: $0)
    }
  }
}
