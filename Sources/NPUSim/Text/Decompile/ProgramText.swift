/// Prints programs as text. Assembling the text for the same machine gives the same program; see
/// ``Program/difference(from:)``.
public enum ProgramText {
  /// How a program is printed.
  public struct Options: Sendable {
    /// Whether repetitions become loops; without them every micro-op has its line.
    public var rollsLoops = true
    /// Whether the copies that dumps of intermediates take are printed.
    public var hasTaps = true
    /// Tensors as files have them, by name.
    public var forms: [String: FileForm] = [:]
    /// Where the micro-ops stand in the source that the program comes from.
    public var origins: OpOrigins?
    /// Lines that stand before the program, without their `;`.
    public var comments: [String] = []
    /// Of a sequential text, what becomes of its order; `nil` where every event is printed.
    var order: QueueOrder?

    public init() {}
  }

  /// What files call a tensor, and the shape that it has there.
  public struct FileForm: Sendable {
    public var shape: [Int]
    /// Other names that are accepted for it.
    public var aliases: [String]

    public init(shape: [Int], aliases: [String] = []) {
      self.shape = shape
      self.aliases = aliases
    }
  }

  /// The text of a program.
  ///
  /// Throws `.program` for a program that the text form cannot state: two buffers of one name in one
  /// memory, layouts that the builder does not make, tiles in another format than their buffer.
  public static func print(
    _ program: Program, _ options: Options = Options()
  ) throws(NPUError) -> [UInt8] {
    var program = program
    if !options.hasTaps {
      program.taps = []
      program.tapTensors = []
    }
    let addresses = try PrintableCheck(program).addresses()
    let memo = ConditionMemo()
    guard options.rollsLoops else { return text(program, options, addresses, nil, memo) }
    // Where the text is long, another price of tables may make it shorter.
    let first = text(program, options, addresses, TablePrice.all[0], memo)
    guard lines(first) > longText else { return first }
    let second = text(program, options, addresses, TablePrice.all[1], memo)
    return lines(second) < lines(first) ? second : first
  }

  /// The text of micro-ops one after another, which get the same events when they are read. A program
  /// with a core that is kept as written is printed with all its events.
  ///
  /// Throws as ``print(_:_:)-(Program,_)``.
  public static func print(
    _ program: SequentialProgram, order: QueueOrder, _ options: Options = Options()
  ) throws(NPUError) -> [UInt8] {
    guard let sequence = program.unordered else {
      return try ProgramText.print(FoundOrder(program, order: order).program, options)
    }
    var options = options
    options.order = order
    return try ProgramText.print(sequence, options)
  }

  private static let longText = 160

  private static func lines(_ text: [UInt8]) -> Int { text.count { $0 == 0x0A } }

  private static func text(
    _ program: Program, _ options: Options, _ addresses: [Int?], _ price: TablePrice?,
    _ memo: ConditionMemo
  ) -> [UInt8] {
    var lifter = ProgramLifter(
      program, attachesEvents: price != nil, origins: options.origins)
    var writer = TextWriter(program, options)
    var declared = Set<Int>()
    let isInOrder = PrintableCheck.declaresInOrder(program.buffers)
    let hasCores = program.cores.count > 1 || program.buffers.contains { $0.core > 0 }
    if isInOrder {
      for index in program.buffers.indices where program.buffers[index].space == .hbm {
        writer.tensor(index)
        declared.insert(index)
      }
    } else {
      for index in program.buffers.indices {
        declared.insert(index)
        if program.buffers[index].space == .hbm {
          writer.tensor(index)
        } else {
          let node = lifter.buffer(index, address: addresses[index])
          let core = max(0, Int(program.buffers[index].core))
          writer.write(
            [hasCores ? lifter.core(core, [node]) : node],
            RollView(lifter.pool, price ?? TablePrice.all[0], memo))
        }
      }
    }
    writer.declareTaps()
    writer.declareLists()
    var blocks: [RollNode] = []
    for core in 0..<max(1, program.cores.count) {
      var body: [RollNode] = []
      for index in program.buffers.indices
      where !declared.contains(index) && Int(program.buffers[index].core) == core {
        body.append(lifter.buffer(index, address: addresses[index]))
      }
      if core < program.cores.count { body += lifter.nodes(core: core) }
      if hasCores {
        blocks.append(lifter.core(core, body))
      } else {
        blocks = body
      }
    }
    if let price {
      var roller = LoopRoller(lifter.pool, price, memo)
      blocks = roller.rolled(blocks)
    }
    writer.blank()
    writer.write(blocks, RollView(lifter.pool, price ?? TablePrice.all[0], memo))
    return writer.text()
  }
}
