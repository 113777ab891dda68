import NPUSim

/// dot_product: `output [1] = Σ a[i] · b[i]` over n elements: gemm with one row and one column.
///
/// Traffic: 2 · n · 33/32 bytes for n MACs. One chain of accumulator adds, a block each: the matrix
/// unit does one useful row and column of its tile.
public struct DotProduct: Kernel {
  public static let name = "dot_product"
  public static let summary = "dot product of two vectors in MXINT8"

  public static let options: [KernelOption] =
    [KernelOption("n", .integer(standard: 4096, minimum: 1), "length of the vectors")]
    + GemmForm.options

  let problem: GemmProblem

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let length = arguments.integer("n")
    problem = try GemmProblem(
      m: 1, n: 1, k: length, GemmForm(arguments, layout: .lines),
      interface: GemmProblem.Interface(
        input: ("a", [length]), other: ("b", [length]), output: ("output", [1]),
        otherAxis: .alongColumns, flags: ("m", "n", "n")), named: Self.name, machine: machine,
      schedule: schedule)
  }

  public var shape: [(name: String, value: String)] {
    [
      ("n", "\(problem.k)"), ("operands", problem.form.input.name),
      ("output", problem.form.result.name),
    ]
  }

  /// One product.
  public var throughput: (count: Double, unit: String) { (1, "dot products") }
}

extension DotProduct: GemmFamily {}
