import NPUSim

/// gemm: `output = input · other` of MXINT8 operands with 32-blocks along k.
///
///     input [m, k] · other [k, n] = output [m, n]
///     s      = Σ aᵢ·bᵢ over a 32-block          exact, Int32
///     v      = s · 2^(Ba + Bb − 266)            FP32
///     acc    = acc + v, blocks ascending in k   BF16 or FP32 register, from +0
///     output = acc rounded once to its type
///
/// With `--operands bf16` the vector unit encodes both operands on chip, input along its rows, other
/// along its columns. No schedule changes a bit: k is always ascending, and the accumulator leaves
/// the matrix unit only when its chain is complete.
///
/// Traffic: compulsory are 33/32 bytes an element of (m + n) · k and the output. An output tile of
/// tm × tn reads (tm + tn) · k, so that without reuse `input` is read n / tn times and `other`
/// m / tm times; with g slabs of one operand kept in `l1` that one is read once, and the other one
/// once for every g tiles. MACs: m · n · k.
///
/// The ladder, `--schedule rung=1…4`: *direct*, a 32 × 32 tile at a time, a block of k after the
/// other, nothing overlapped; *tiled*, the largest tiles that pay; *double-buffered*, the same with
/// rings in every memory; *blocked for reuse*, slabs of one operand kept in `l1`.
public struct Gemm: Kernel {
  public static let name = "gemm"
  public static let summary = "matrix product of MXINT8 operands, as a ladder of four schedules"

  public static let options: [KernelOption] =
    [
      KernelOption("m", .integer(standard: 128, minimum: 1), "rows of the output"),
      KernelOption("n", .integer(standard: 128, minimum: 1), "columns of the output"),
      KernelOption("k", .integer(standard: 128, minimum: 1), "length of the products"),
    ] + GemmForm.options

  let problem: GemmProblem

  public init(
    _ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    let m = arguments.integer("m")
    let n = arguments.integer("n")
    let k = arguments.integer("k")
    problem = try GemmProblem(
      m: m, n: n, k: k, GemmForm(arguments, layout: .columns),
      interface: GemmProblem.Interface(
        input: ("input", [m, k]), other: ("other", [k, n]), output: ("output", [m, n]),
        otherAxis: .alongRows), named: Self.name, machine: machine, schedule: schedule)
  }

  public var shape: [(name: String, value: String)] {
    [
      ("m", "\(problem.m)"), ("n", "\(problem.n)"), ("k", "\(problem.k)"),
      ("operands", problem.form.input.name), ("output", problem.form.result.name),
    ]
  }

  /// One product.
  public var throughput: (count: Double, unit: String) { (1, "GEMMs") }
}

extension Gemm: GemmFamily {}
