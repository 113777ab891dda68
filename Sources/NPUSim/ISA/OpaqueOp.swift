/// An instruction of another machine, of which the bytes and the time are known and nothing else: for
/// checking and timing.
///
/// The text form is `op QUEUE NAME results <- sources {cycles=N, latency=M}`. Its tiles have any format
/// and lie in any memory, whatever its queue can reach. It takes no bandwidth of HBM: its time is what
/// is stated. A result may be the very tile of a source, and shares no byte with it otherwise (M007).
/// Nothing is forwarded to it or from it, unless it ``streams``: then it does as the vector micro-ops
/// that work element by element, or on the matrix queue as the matmuls. It has no values.
public struct OpaqueOp: MicroOp {
  /// The queue it runs on.
  public var runsOn: Queue
  /// A word of its own, which findings and reports show behind the queue's: `vector.Add`.
  public var name: String
  /// Tiles that are written.
  public var results: [TileRef]
  /// Tiles that are read. With the results they are at most ``OpRecord/maximumOperands``.
  public var sources: [TileRef]
  /// Cycles for which it occupies its queue, at least 1.
  public var cycles: Int
  /// Cycles from then on until its results are visible.
  public var latency: Int
  /// Whether it goes on from what is left in its tiles while that is not visible yet: `stream=yes`. On
  /// the vector queue it works element by element, at an even pace; on the matrix queue it adds to its
  /// one tile in `acc`, where that is read, too. No other queue streams.
  public var streams: Bool
  /// Its unit flag, as of a matmul or, in ``UnitFlag/release``, of a drain: `unit=yes`. It belongs to
  /// its one tile in `acc`, and takes the place of a tile.
  public var unit: UnitFlag

  public static let mnemonic = "op"
  public static let summary =
    "an instruction of another machine, `op QUEUE NAME results <- sources {cycles=N, latency=N}`, for "
    + "checking and timing: up to \(OpRecord.maximumOperands) tiles of any format in any memory, no "
    + "values. A source may be the very tile of a result. It takes the stated cycles of its queue, "
    + "and no bandwidth of HBM. With `stream=yes` it streams on the vector queue as one that works "
    + "element by element, and forwards on the matrix queue as a matmul; `unit=hold`, `unit=release` (on `drain`: `unit=yes`) is the unit flag of its "
    + "tile in `acc`"
  /// The queue of the sample; each value has its own.
  public static let queue = Queue.vector
  public static let isOpaque = true

  public init() { self.init("", on: Self.queue, results: [], sources: [], cycles: 1) }

  public init(
    _ name: String, on queue: Queue, results: [TileRef], sources: [TileRef], cycles: Int,
    latency: Int = 0, streams: Bool = false, unit: UnitFlag = .none
  ) {
    self.name = name
    runsOn = queue
    self.results = results
    self.sources = sources
    self.cycles = cycles
    self.latency = latency
    self.streams = streams
    self.unit = unit
  }

  /// The operands of a record; its name, its time and whether it streams are in the record's work.
  public init(_ record: OpRecord, tiles: UnsafePointer<TileRef>) {
    self.init()
    runsOn = record.queue
    for k in 0..<min(Int(record.operandCount), OpRecord.maximumOperands) {
      guard !record.access(k).isEmpty else {
        unit = Self.unit(record.words[k], on: record.queue)
        continue
      }
      let tile = tiles[Int(record.words[k])]
      if record.access(k).contains(.write) { results.append(tile) } else { sources.append(tile) }
    }
  }

  public var effectiveQueue: Queue { runsOn }
  public var ownName: String? { name }

  public mutating func visit(_ visitor: inout some OperandVisitor) {
    for k in results.indices {
      visitor.tile(Self.resultName(k, of: results.count), in: &results[k], .write)
    }
    for k in sources.indices {
      visitor.tile(Self.sourceName(k, of: sources.count), in: &sources[k], .elementwise)
    }
    guard unit != .none, results.count + sources.count < OpRecord.maximumOperands else { return }
    if runsOn == .drain {
      var isFlagged = true
      visitor.unitFlag("unit", &isFlagged)
    } else {
      visitor.unitFlag("unit", &unit)
    }
  }

  /// The unit flag of a word: that of a drain is set or not.
  static func unit(_ word: UInt32, on queue: Queue) -> UnitFlag {
    if queue == .drain { return word == 0 ? .none : .release }
    return UnitFlag(choiceIndex: Int(word)) ?? .none
  }

  /// The words of its unit flag.
  static func unitWords(on queue: Queue) -> [String] {
    queue == .drain ? Bool.choices : UnitFlag.choices
  }

  public func legality(_ layout: TileLayout) -> OperandFault? {
    let count = results.count + sources.count
    let most = OpRecord.maximumOperands - (unit == .none ? 0 : 1)
    if count > most {
      let flag = unit == .none ? "" : " and a unit flag"
      return "found \(count) tiles\(flag), needed at most \(most): state it in two parts"
    }
    if name.isEmpty { return "found no name, needed a word for findings and reports" }
    if cycles < 1 { return "found \(cycles) cycles, needed 1 or more" }
    if latency < 0 { return "found a latency of \(latency) cycles, needed 0 or more" }
    if streams, runsOn != .vector, runsOn != .matrix {
      return "found stream on the \(runsOn.name) queue, needed the vector or the matrix queue"
    }
    if streams, runsOn == .matrix, accumulators != 1 {
      return "found stream with \(accumulators) tiles in acc, needed one that it adds to"
    }
    return unitFault()
  }

  /// How many tiles in `acc` it has.
  private var accumulators: Int { Set((results + sources).filter { $0.space == .acc }).count }

  /// What is wrong with its unit flag.
  private func unitFault() -> OperandFault? {
    guard unit != .none else { return nil }
    guard runsOn == .matrix || runsOn == .drain else {
      return "found a unit flag on the \(runsOn.name) queue, needed matrix or drain"
    }
    if runsOn == .drain, unit != .release {
      return "found a unit flag that holds on a drain, needed one that releases"
    }
    guard accumulators != 1 else { return nil }
    return
      "found a unit flag with \(accumulators) tiles in acc, needed one: the flag is that tile's"
  }

  public func work(_ layout: TileLayout) -> Work {
    .stated(cycles: cycles, latency: latency, streams: streams)
  }

  public func execute(_ datapath: inout Datapath) {}

  // MARK: Names of operands

  private static let resultNames = (1...OpRecord.maximumOperands).map { "result \($0)" }
  private static let sourceNames = (1...OpRecord.maximumOperands).map { "source \($0)" }

  private static func resultName(_ k: Int, of count: Int) -> String {
    count == 1 ? "result" : resultNames[min(k, resultNames.count - 1)]
  }

  private static func sourceName(_ k: Int, of count: Int) -> String {
    count == 1 ? "source" : sourceNames[min(k, sourceNames.count - 1)]
  }

  /// The operands of a record of this type.
  static func operands(of record: OpRecord, in tiles: [TileRef]) -> [OperandDescription] {
    let all = 0..<min(Int(record.operandCount), OpRecord.maximumOperands)
    let results = all.count { record.access($0).contains(.write) }
    let places = all.dropLast(record.hasUnitFlag ? 1 : 0)
    let flag = OperandDescription(
      name: "unit", kind: .choice(unitWords(on: record.queue)), isOptional: true)
    let listed = places.map { k in
      let tile = Int(record.words[k])
      let space = tiles.indices.contains(tile) ? tiles[tile].space : .hbm
      return k < results
        ? OperandDescription(name: resultName(k, of: results), kind: .tile(space, .write))
        : OperandDescription(
          name: sourceName(k - results, of: places.count - results),
          kind: .tile(space, .elementwise))
    }
    return record.hasUnitFlag ? listed + [flag] : listed
  }
}

extension OperandVisitor {
  /// A tile whose memory is not known as a type.
  fileprivate mutating func tile(_ name: String, in ref: inout TileRef, _ access: Access) {
    func visit<S: MemorySpace>(_ space: S.Type, _ visitor: inout Self, _ ref: inout TileRef) {
      var tile = Tile<S>(ref)
      visitor.tile(name, &tile, access)
      ref = tile.ref
    }
    switch ref.space {
    case .hbm: visit(HBM.self, &self, &ref)
    case .l1: visit(L1.self, &self, &ref)
    case .left: visit(Left.self, &self, &ref)
    case .right: visit(Right.self, &self, &ref)
    case .acc: visit(Acc.self, &self, &ref)
    case .ub: visit(UB.self, &self, &ref)
    }
  }
}

extension Program {
  /// The operands of a record: those of its micro-op, or of an opaque one its own.
  public func operands(of record: OpRecord) -> [OperandDescription] {
    let entry = catalogue[record.opcode]
    return entry.isOpaque ? OpaqueOp.operands(of: record, in: tiles) : entry.operands
  }

  /// The first micro-op that has no values, `nil` in a program that can be executed.
  public var firstOpaque: Finding.Site? {
    guard !opNames.isEmpty, let opaque = catalogue.opcode(of: OpaqueOp.self) else { return nil }
    for (core, records) in cores.enumerated() {
      if let op = records.firstIndex(where: { $0.opcode == opaque }) {
        return Finding.Site(core: core, op: op)
      }
    }
    return nil
  }

  /// What is said of a micro-op without values where values are asked for.
  public func withoutValues(_ site: Finding.Site, at location: SourceLocation? = nil) -> NPUError {
    NPUError(
      .program,
      "op \(mnemonic(cores[site.core][site.op])) has no values: the program can be checked and timed, "
        + "not executed", at: location,
      hint: "check it, or run it with --no-values for its cycles")
  }
}
