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
    /// The flags that say m, n and k.
    var flags: (m: String, n: String, k: String) = ("m", "n", "k")
  }

  let m: Int
  let n: Int
  let k: Int
  let form: GemmForm
  let interface: Interface
  let machine: MachineConfiguration
  let model: GemmCostModel
  let plan: GemmSchedule

  /// Throws `.usage` where the tensors do not fit HBM or the schedule text is wrong, and `.program`
  /// where no schedule fits the machine.
  init(
    m: Int, n: Int, k: Int, _ form: GemmForm, interface: Interface, named name: String,
    machine: MachineConfiguration, schedule: String?
  ) throws(NPUError) {
    self.m = m
    self.n = n
    self.k = k
    self.interface = interface
    self.machine = machine
    let flags = interface.flags
    try ShapeLimits.check(
      [(flags.m, m), (flags.n, n), (flags.k, k)],
      bytes: [[m, k, 2], [k, n, 2], [m, n, form.partner != nil ? 6 : 4]],
      machine: machine)
    model = GemmCostModel(
      m: m, n: n, k: k, form: form, input: GemmRings(interface.input.name),
      other: GemmRings(interface.other.name), machine: machine)
    self.form = model.form
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
    form = model.form
    machine = model.machine
    self.interface = interface
    self.model = model
    self.plan = plan
  }

  var buffers: BufferPlan { model.buffers(plan) }

  /// The product as it meets a residual or a gate.
  static let productName = "product"

  var tensors: [TensorSpec] {
    let shape = interface.output.shape
    let met = form.partner.map {
      [
        TensorSpec($0.rawValue, .bf16, shape, role: .input),
        TensorSpec(Self.productName, form.result, shape, role: .intermediate),
      ]
    }
    return [
      TensorSpec(interface.input.name, form.input, interface.input.shape, role: .input),
      TensorSpec(
        interface.other.name, form.other, interface.other.shape,
        axis: form.encodes(.other) ? .alongColumns : interface.otherAxis, role: .input),
    ] + (met ?? [])
      + [TensorSpec(interface.output.name, form.result, shape, role: .output)]
  }

  /// Each operand once from HBM and once to the matrix unit, the result once back. The operand that
  /// a product with one row streams may enter by either side: the faster port counts.
  var compulsory: CompulsoryWork {
    var work = CompulsoryWork()
    let depth = Int64(k)
    let line = depth + Int64(MXINT8.blocks(k))
    let (inputBytes, otherBytes) = (Int64(m) * line, Int64(n) * line)
    for (operand, lines) in [(GemmOperand.input, Int64(m)), (.other, Int64(n))] {
      guard form.encodes(operand) else {
        work.move(lines * line, .hbmToL1)
        continue
      }
      work.move(2 * depth * lines, .hbmToUB)
      work.pass(depth * lines, .encodeMX)
      work.move(lines * line, .ubToL1)
    }
    let left = machine[.l1ToLeft].rate.approximate
    let right = machine[.l1ToRight].rate.approximate
    let swaps = m == 1 && n > 1 && left > right
    work.move(swaps ? otherBytes : inputBytes, .l1ToLeft)
    work.move(swaps ? inputBytes : otherBytes, .l1ToRight)
    let outputs = Int64(m) * Int64(n)
    let outputBytes = outputs * Int64(form.result.bytes)
    if let partner = form.partner {
      work.move(outputBytes, .accToUB)
      work.move(2 * outputs, .hbmToUB)
      switch partner {
      case .residual: work.pass(outputs, .add)
      case .gate:
        work.pass(outputs, .silu)
        work.pass(outputs, .mul)
      }
      work.move(outputBytes, .ubToHBM)
    } else {
      work.move(outputBytes, .accToHBM)
    }
    work.macs = outputs * depth
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
