import NPUSim

/// A kernel: a pure reference and a micro-op program for the same numbers.
///
/// A value is one shape on one machine with one schedule, already validated. The reference is made
/// of independent units (rows, heads), so that large runs can be verified on a sample.
public protocol Kernel: Sendable {
  /// The name that users type.
  static var name: String { get }
  /// Other names that are accepted for it.
  static var aliases: [String] { get }
  /// One line for `simctl list`.
  static var summary: String { get }
  static var options: [KernelOption] { get }
  /// Every field that a schedule of the kernel may have.
  static var scheduleDeclaration: [ScheduleField] { get }

  /// Validates a shape and chooses a schedule for it; `schedule` replaces fields of it.
  ///
  /// Throws `.usage` for a shape that makes no sense and `.program` for one that does not fit the
  /// machine, with what would.
  init(_ arguments: KernelArguments, machine: MachineConfiguration, schedule: String?)
    throws(NPUError)

  /// The machine that the schedule was chosen for.
  var machine: MachineConfiguration { get }
  /// The shape as the report prints it.
  var shape: [(name: String, value: String)] { get }
  /// The schedule in effect; empty where the program was not made from one.
  var scheduleFields: ScheduleFields { get }
  /// Inputs, intermediates and outputs in the order of the algorithm.
  var tensors: [TensorSpec] { get }
  /// What the algorithm must move and compute at least.
  var compulsory: CompulsoryWork { get }
  /// The same for the given index tensors, which may leave some of the work out, where somebody
  /// states it; `nil` where it is only summed up from the program.
  func statedWork(_ indices: IndexTensors) -> CompulsoryWork?
  /// What the index tensors make of the shape, as the report prints it after the shape.
  func bindings(_ indices: IndexTensors) -> [(name: String, value: String)]
  /// What the throughput counts: a number of items and their plural, such as tokens.
  var throughput: (count: Double, unit: String) { get }

  /// What in the errors of a tensor is no rounding, as the report prints it.
  var errorNote: String? { get }

  /// Emits the micro-ops one after another on all cores, for the given index tensors. The HBM tensors
  /// are declared by the names of ``tensors``, the taps by the intermediates': what each of them is, and
  /// what it is called in the program, is the builder's to say, so that a kernel is the same by itself
  /// and among others.
  ///
  /// Throws `.tensor` for an index that names nothing, with its place; a slot that does not exist
  /// may be a defect of the program instead, M006.
  func emit(_ indices: IndexTensors, into p: inout ProgramBuilder) throws(NPUError)

  /// The micro-ops of the kernel by itself, with HBM tensors of its own.
  ///
  /// Throws as ``emit(_:into:)``.
  func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram

  /// The program that runs: micro-ops of ``sequence(_:)`` in the order that the schedule asks for, with
  /// their events.
  func ordered(_ sequence: SequentialProgram) -> FoundOrder

  /// What each core that has work allocates on chip: nothing else is in the program's on-chip memories.
  /// A text allocates as it is written, and plans nothing.
  var buffers: BufferPlan { get }

  /// The lines at which the program's micro-ops were written; `nil` where it was made in Swift.
  var sourceLines: SourceLines? { get }

  /// The words of an input that no file gives, `nil` for the standard ones: bf16(4u − 2) of
  /// ``SeededInput`` in the tensor's format. Index tensors have no standard words.
  func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue?

  /// Judges the inputs before anything runs; throws `.tensor` for values that the kernel refuses.
  func validate(_ inputs: [String: TensorValue]) throws(NPUError)

  /// Independent parts of the reference.
  var referenceUnits: Int { get }
  /// Multiply-accumulates of one unit of the reference.
  var macsPerUnit: Int { get }
  /// Output elements of one unit.
  var outputsPerUnit: Int { get }
  /// Bytes that a reference takes beside its inputs, whatever is evaluated; 0 unless stated.
  var referenceBytes: Int { get }
  /// Bytes that the operands of the units take which one thread evaluates; 0 unless stated.
  var operandBytes: Int { get }
  /// A reference over inputs of the shapes in ``tensors``.
  func reference(_ inputs: [String: TensorValue], settings: DatapathSettings) throws(NPUError)
    -> any KernelReference
}

extension Kernel {
  public var sourceLines: SourceLines? { nil }

  public func sequence(_ indices: IndexTensors) throws(NPUError) -> SequentialProgram {
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    try emit(indices, into: &p)
    return p.sequential()
  }

  /// As ``sequence(_:)``, with tensors of others in the place of those that are bound.
  ///
  /// Throws as ``ProgramBuilder/scoped(_:bindings:_:)`` does, too.
  public func sequence(
    _ indices: IndexTensors, bindings: TensorBindings
  ) throws(NPUError) -> SequentialProgram {
    if bindings.isEmpty { return try sequence(indices) }
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    try p.scoped(nil, bindings: bindings) { p throws(NPUError) in try emit(indices, into: &p) }
    return p.sequential()
  }

  /// The program in the order in which it was written.
  public func program(_ indices: IndexTensors) throws(NPUError) -> Program {
    try sequence(indices).lowered()
  }

  /// Whether a better order than the written one is looked for.
  public var queueOrder: QueueOrder {
    scheduleFields[QueueOrder.field].flatMap(QueueOrder.init) ?? .written
  }

  public func ordered(_ sequence: SequentialProgram) -> FoundOrder {
    FoundOrder(sequence, order: queueOrder)
  }

  /// As ``sequence(_:bindings:)``; throws `.limit` where it would have too many micro-ops to be kept, before it
  /// is built where the least number of matmuls says so, and `.program` where its schedule asks for
  /// more memory than the machine has, with what would fit.
  public func wholeSequence(
    _ indices: IndexTensors, on machine: MachineConfiguration, bindings: TensorBindings = [:]
  ) throws(NPUError) -> SequentialProgram {
    if let left = machine[.left].bytes, let right = machine[.right].bytes,
      let acc = machine[.acc].bytes, let macs = statedWork(indices)?.macs
    {
      // m·k ≤ left, k·n ≤ right and 2·m·n ≤ acc bound the work of a matmul of m × k by k × n.
      let most = (Double(left) * Double(right) * Double(acc) / 2).squareRoot()
      if Double(macs) > most * Double(Program.microOpLimit) {
        throw Program.tooLong(Program.microOpLimit)
      }
    }
    let sequence = try sequence(indices, bindings: bindings)
    try sequence.requireWhole()
    // What has no schedule of its own was written as it is, and is checked as written.
    if !scheduleFields.fields.isEmpty { try requireFit(sequence, on: machine) }
    return sequence
  }

  /// The program that runs; throws as ``wholeSequence(_:on:)``.
  public func wholeProgram(
    _ indices: IndexTensors, on machine: MachineConfiguration
  ) throws(NPUError) -> FoundOrder {
    ordered(try wholeSequence(indices, on: machine))
  }

  private func requireFit(_ program: SequentialProgram, on machine: MachineConfiguration)
    throws(NPUError)
  {
    guard let misfit = program.defects.first(where: { $0.code == .M003 }) else { return }
    let isDeep = scheduleFields.fields.contains { $0.field.values == .slots && $0.value > 1 }
    let smaller = isDeep ? "smaller tiles or fewer stages" : "smaller tiles"
    throw NPUError(
      .program,
      "\(Self.name) with the schedule \(scheduleFields.text) does not fit \(machine.name): "
        + misfit.message,
      hint: "use \(smaller), or a machine with larger memories")
  }

  public static var aliases: [String] { [] }

  public var referenceBytes: Int { 0 }

  public var operandBytes: Int { 0 }

  public func statedWork(_ indices: IndexTensors) -> CompulsoryWork? { compulsory }

  public func bindings(_ indices: IndexTensors) -> [(name: String, value: String)] { [] }

  public var errorNote: String? { nil }

  public func seededInput(_ spec: TensorSpec, seed: UInt64) throws(NPUError) -> TensorValue? { nil }

  public func validate(_ inputs: [String: TensorValue]) throws(NPUError) {}
}

/// The pure reference of a kernel over given inputs: scalar definitions over arrays, no tiles.
public protocol KernelReference: Sendable {
  /// What unit `index` of every intermediate and output must be, word for word, and the exact values
  /// of its elements in FP64, with a proved bound on each stage's error and the expected ones.
  func evaluate(unit index: Int) -> ReferenceUnit
  /// How many units that follow one another share work where they are evaluated together; 1 unless
  /// stated.
  var unitsTogether: Int { get }
  /// What ``evaluate(unit:)`` gives for each of some units in ascending order.
  func evaluate(units: ArraySlice<Int>) -> [ReferenceUnit]
}

extension KernelReference {
  public var unitsTogether: Int { 1 }

  public func evaluate(units: ArraySlice<Int>) -> [ReferenceUnit] {
    units.map { evaluate(unit: $0) }
  }
}

/// One unit of a reference.
public struct ReferenceUnit: Sendable {
  public var words: [ReferenceSlice] = []
  public var errors: [ErrorSlice] = []
  /// Output elements that are not finite only because NaN or an infinity reached them from an element
  /// whose weight is 0, as the definition has it: 0 · NaN.
  public var reached = 0
  /// Rows in which several elements are the largest, of a kernel that chooses one.
  public var ties = 0

  public init() {}

  /// What the unit takes in memory, about.
  var bytes: Int {
    words.reduce(0) { $0 + $1.bytes.count }
      + errors.reduce(0) { $0 + $1.figures.count * MemoryLayout<ErrorFigure>.stride }
  }

  /// Adds the elements of a tensor from `start` on, as words of BF16 or FP32 and as figures.
  mutating func add(_ tensor: String, start: Int, _ values: [Traced], as format: ElementFormat) {
    let floats = values.map(\.word)
    words.append(
      format == .bf16
        ? ReferenceSlice(tensor, start: start, bf16: floats)
        : ReferenceSlice(tensor, start: start, fp32: floats))
    errors.append(ErrorSlice(tensor, start: start, values))
  }

  /// Adds a row of an MXINT8 tensor with blocks along its rows of `width` elements, each row from
  /// `start` on, and what its elements decode to.
  mutating func add(
    _ tensor: String, start: Int, _ row: ProductRow, _ elements: [Traced], width: Int
  ) {
    let scales = tensor + ".scale"
    words += [
      ReferenceSlice(tensor, start: start, bytes: row.payload.map { UInt8(bitPattern: $0) }),
      ReferenceSlice(
        scales, start: start / max(1, width) * row.scales.count, bytes: row.scales),
    ]
    errors.append(
      ErrorSlice(
        tensor, start: start, elements,
        scaling: ErrorSlice.Scaling(tensor: scales, width: width, block: MXINT8.blockSize)))
  }
}

/// A contiguous run of elements of a tensor, as bytes.
public struct ReferenceSlice: Sendable {
  /// The tensor; the scales of an MXINT8 tensor are `NAME.scale`.
  public var tensor: String
  /// First element in the flattened tensor.
  public var start: Int
  public var bytes: [UInt8]

  public init(_ tensor: String, start: Int, bytes: [UInt8]) {
    self.tensor = tensor
    self.start = start
    self.bytes = bytes
  }

  /// BF16 words.
  public init(_ tensor: String, start: Int, bf16 values: [Float]) {
    self.init(
      tensor, start: start,
      bytes: values.flatMap { value -> [UInt8] in
        let bits = BF16(value).bits
        return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
      })
  }

  /// FP32 words.
  public init(_ tensor: String, start: Int, fp32 values: [Float]) {
    self.init(
      tensor, start: start,
      bytes: values.flatMap { value in
        withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
      })
  }
}
