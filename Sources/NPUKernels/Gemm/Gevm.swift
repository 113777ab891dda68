import NPUSim

/// gevm: a vector times a matrix, `output [n] = vector [k] · matrix [k, n]`: gemm with one row.
///
/// Traffic: the matrix once, 33/32 bytes an element, is everything: k · n · 33/32 bytes for k · n
/// MACs. What bounds it is the slowest of HBM, the load port and the feed port. The matrix may enter
/// the matrix unit as `right`, or transposed as `left`, whose port is the faster one on most
/// machines; the accumulators then hold a column of the output.
public struct Gevm: Kernel {
  public static let name = "gevm"
  public static let summary = "vector times matrix in MXINT8: one row of gemm, bound by its weights"

  public static let options: [KernelOption] =
    [
      KernelOption("k", .integer(standard: 4096, minimum: 1), "length of the vector"),
      KernelOption("n", .integer(standard: 4096, minimum: 1), "columns of the matrix"),
    ] + GemmForm.options

  let problem: GemmProblem

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let n = arguments.integer("n")
    let k = arguments.integer("k")
    problem = try GemmProblem(
      m: 1, n: n, k: k, GemmForm(arguments, layout: .columns),
      interface: GemmProblem.Interface(
        input: ("vector", [k]), other: ("matrix", [k, n]), output: ("output", [n]),
        otherAxis: .alongRows), named: Self.name, machine: machine, schedule: schedule)
  }

  public var shape: [(name: String, value: String)] {
    [
      ("k", "\(problem.k)"), ("n", "\(problem.n)"), ("operands", problem.form.input.name),
      ("output", problem.form.result.name),
    ]
  }

  /// Elements of the output.
  public var throughput: (count: Double, unit: String) { (Double(problem.n), "outputs") }
}

extension Gevm: GemmFamily {}
