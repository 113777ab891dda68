import NPUSim

/// What a product takes and makes, beside its size.
struct GemmForm: Sendable {
  /// MXINT8, or BF16 that the vector unit encodes along the depth.
  var input: ElementFormat
  /// MXINT8, or BF16 that the vector unit encodes along the depth.
  var other: ElementFormat
  /// BF16 or FP32.
  var result: ElementFormat
  /// How the second operand lies: `k × n` in columns, or `n × k` in lines along the depth.
  var layout: ProductMatrix.Layout
  /// A BF16 tensor of the output's shape that the product, rounded to the output's type, meets.
  var partner: Partner?

  /// What a product may meet on its way out.
  enum Partner: String, Sendable {
    /// Is added.
    case residual
    /// Its silu, rounded to BF16, is multiplied.
    case gate
  }

  /// Whether operands are BF16, MXINT8 where they are not; type of the output.
  static let options: [KernelOption] = [
    KernelOption(
      "operands", .choice(["mxint8", "bf16"]),
      "mxint8: encoded before the run; bf16: encoded on chip"),
    output,
  ]

  static let output = KernelOption("output", .choice(["bf16", "f32"]), "type of the output")

  /// Both operands in the type that `--operands` says.
  init(_ arguments: KernelArguments, layout: ProductMatrix.Layout) {
    let operands: ElementFormat = arguments.choice("operands") == "bf16" ? .bf16 : .mxint8
    self.init(arguments, input: operands, other: operands, layout: layout)
  }

  /// The output in the type that `--output` says.
  init(
    _ arguments: KernelArguments, input: ElementFormat, other: ElementFormat,
    layout: ProductMatrix.Layout, partner: Partner? = nil
  ) {
    self.init(
      input: input, other: other, result: arguments.choice("output") == "f32" ? .f32 : .bf16,
      layout: layout, partner: partner)
  }

  init(
    input: ElementFormat, other: ElementFormat, result: ElementFormat,
    layout: ProductMatrix.Layout, partner: Partner? = nil
  ) {
    self.input = input
    self.other = other
    self.result = result
    self.layout = layout
    self.partner = partner
  }

  func format(_ operand: GemmOperand) -> ElementFormat { operand == .input ? input : other }

  /// Whether the vector unit encodes an operand.
  func encodes(_ operand: GemmOperand) -> Bool { format(operand) == .bf16 }

  /// Whether anything passes the vector unit.
  var usesVectorUnit: Bool { encodes(.input) || encodes(.other) || partner != nil }

  /// Whether the first operand alone is encoded on chip: it may be before anything is multiplied.
  var canEncodeAhead: Bool { encodes(.input) && !encodes(.other) }

  /// Whether the rows of an operand's tensor run along k.
  func isDeep(_ operand: GemmOperand) -> Bool { operand == .other && layout == .columns }
}
