/// A program as it was written: its tables, and the micro-ops of each core one after another, as if
/// each ended before the next began. No event orders them yet.
///
/// ``ProgramBuilder/sequential()`` makes it; ``lowered()`` gives it the events and barriers that keep
/// those in order which conflict. The micro-ops of a core may be put in another order before. A core
/// with explicit events stays as it was written.
public struct SequentialProgram: Sendable {
  /// Buffers, tiles, works and scopes; it has no micro-ops. Taps and defects name micro-ops by their
  /// place in the sequence of their core.
  let tables: Program
  /// What was emitted on each core.
  private var streams: [CoreStream]

  init(tables: Program, streams: [CoreStream]) {
    self.tables = tables
    self.streams = streams
  }

  /// The same micro-ops on a machine that differs in nothing but what orders them.
  func ordered(by machine: MachineConfiguration) -> SequentialProgram {
    var tables = tables
    tables.machine = machine
    return SequentialProgram(tables: tables, streams: streams)
  }

  /// How many cores the program has.
  public var coreCount: Int { streams.count }

  /// Micro-ops and barriers as they were written, over all cores.
  public var opCount: Int { streams.reduce(0) { $0 + $1.records.count } }

  /// The micro-ops of a core, and the barriers that were written between them.
  public func records(ofCore core: Int) -> [OpRecord] { streams[core].records }

  /// Whether a core is explicit, so that its order is not to be touched.
  func isKeptAsWritten(core: Int) -> Bool { streams[core].isExplicit }

  /// A program with events.
  public struct Lowered: Sendable {
    public var program: Program
    /// By core and place in the sequence: the index of the micro-op in the core's list.
    public var places: [[UInt32]]
    /// The most that was held besides, for one core after the other.
    var workingBytes = 0

    /// Bytes of what is new in it.
    var storageBytes: Int {
      program.cores.reduce(0) { $0 + $1.storageBytes } + places.reduce(0) { $0 + $1.storageBytes }
    }
  }

  /// The program in written order.
  public consuming func lowered() -> Program {
    let orders = [[UInt32]?](repeating: nil, count: streams.count)
    let graphs = ConflictGraphs(copy self)
    return lowered(in: orders, graphs).program
  }

  /// The program in other orders: for each core the places of its micro-ops in the sequence, in the
  /// order in which they shall be dispatched, or `nil` for the written one.
  ///
  /// An order keeps those micro-ops in order which conflict, leaves every barrier at its place, and
  /// lets none pass one. Taps and defects follow their micro-ops.
  ///
  /// - Parameter graphs: the conflicts of the program, without what taps read.
  consuming func lowered(in orders: [[UInt32]?], _ graphs: ConflictGraphs) -> Lowered {
    var program = tables
    var places: [[UInt32]] = []
    var workingBytes = 0
    for core in streams.indices {
      // What was emitted is not needed once it is lowered.
      let stream = streams[core]
      streams[core] = CoreStream()
      let lowered = stream.lower(in: orders[core], graphs[core], machine: program.machine)
      program.cores.append(lowered.records)
      places.append(lowered.positions)
      workingBytes = max(workingBytes, lowered.workingBytes)
    }
    for index in program.taps.indices {
      let tap = program.taps[index]
      program.taps[index].op = Int(places[tap.core][tap.op])
    }
    program.taps.sort { ($0.core, $0.op) < ($1.core, $1.op) }
    for index in program.defects.indices {
      let defect = program.defects[index]
      if let op = defect.op, defect.core < places.count, op < places[defect.core].count {
        program.defects[index].op = Int(places[defect.core][op])
      }
    }
    return Lowered(program: program, places: places, workingBytes: workingBytes)
  }
}
