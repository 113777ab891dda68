import NPUSim

/// What gemm, gevm and dot_product have in common: `output[m, n] = input[m, k] · other[k, n]` on a
/// machine, with a schedule. gevm is the case m = 1, dot_product the case m = n = 1.
struct GemmProblem: Sendable {
  /// Names and shapes of the three tensors as the kernel's users know them.
  struct Interface: Sendable {
    var input: (name: String, shape: [Int])
    var other: (name: String, shape: [Int])
    var output: (name: String, shape: [Int])
    /// The block axis of `other`: the last but one, but the only one of a vector.
    var otherAxis: BlockAxis
  }

  /// The flags that the three kernels share.
  static let options: [KernelOption] = [
    KernelOption(
      "operands", .choice(["mxint8", "bf16"]),
      "mxint8: encoded before the run; bf16: encoded on chip"),
    KernelOption("output", .choice(["bf16", "f32"]), "type of the output"),
  ]

  let m: Int
  let n: Int
  let k: Int
  /// MXINT8, or BF16 that the vector unit encodes.
  let operands: ElementFormat
  /// BF16 or FP32.
  let result: ElementFormat
  let interface: Interface
  let machine: MachineConfiguration
  let model: GemmCostModel
  let plan: GemmSchedule

  /// Throws `.usage` where the tensors do not fit HBM or the schedule text is wrong, and `.program`
  /// where no schedule fits the machine.
  init(
    m: Int, n: Int, k: Int, _ arguments: KernelArguments, interface: Interface, named name: String,
    machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    self.m = m
    self.n = n
    self.k = k
    operands = arguments.choice("operands") == "bf16" ? .bf16 : .mxint8
    result = arguments.choice("output") == "f32" ? .f32 : .bf16
    self.interface = interface
    self.machine = machine
    try ShapeLimits.check(
      [("m", m), ("n", n), ("k", k)], bytes: [[m, k, 2], [k, n, 2], [m, n, 4]], machine: machine)
    model = GemmCostModel(
      m: m, n: n, k: k, operands: operands, result: result,
      input: GemmRings(interface.input.name), other: GemmRings(interface.other.name),
      machine: machine)
    let model = model
    plan = try GemmSchedule(
      GemmSchedule.Problem(kernel: name, model: model), overriding: schedule
    ) { plan throws(NPUError) in
      try GemmProblem(model, interface, plan).sequence()
    }
  }

  /// A product with a schedule that fits its machine.
  init(_ model: GemmCostModel, _ interface: Interface, _ plan: GemmSchedule) {
    m = model.m
    n = model.n
    k = model.k
    operands = model.operands
    result = model.result
    machine = model.machine
    self.interface = interface
    self.model = model
    self.plan = plan
  }

  var buffers: BufferPlan { model.buffers(plan) }

  var tensors: [TensorSpec] {
    [
      TensorSpec(interface.input.name, operands, interface.input.shape, role: .input),
      TensorSpec(
        interface.other.name, operands, interface.other.shape,
        axis: operands == .mxint8 ? interface.otherAxis : .alongColumns, role: .input),
      TensorSpec(interface.output.name, result, interface.output.shape, role: .output),
    ]
  }

  /// Each operand once from HBM and once to the matrix unit, the result once back. The operand that
  /// a product with one row streams may enter by either side: the faster port counts.
  var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let blocks = Int64(MXINT8.blocks(k))
    let depth = Int64(k)
    let inputBytes = Int64(m) * (depth + blocks)
    let otherBytes = Int64(n) * (depth + blocks)
    if operands == .mxint8 {
      work.move(inputBytes + otherBytes, .hbmToL1)
    } else {
      work.move(2 * depth * Int64(m + n), .hbmToUB)
      work.pass(depth * Int64(m + n), .encodeMX)
      work.move(inputBytes + otherBytes, .ubToL1)
    }
    let left = machine[.l1ToLeft].rate.approximate
    let right = machine[.l1ToRight].rate.approximate
    let swaps = m == 1 && n > 1 && left > right
    work.move(swaps ? otherBytes : inputBytes, .l1ToLeft)
    work.move(swaps ? inputBytes : otherBytes, .l1ToRight)
    work.move(Int64(m) * Int64(n) * Int64(result.bytes), .accToHBM)
    work.macs = Int64(m) * Int64(n) * depth
    return work
  }

  // MARK: Units of the reference

  /// Columns of a unit: the most that divide n and keep a unit small, or all of them.
  var unitColumns: Int {
    var width = min(n, 1024)
    while width > 64 && n % width != 0 { width -= 1 }
    return n % width == 0 ? width : n
  }

  /// Units are (row, column tile) in row-major order.
  var referenceUnits: Int { m * (n / unitColumns) }
}
