/// A program: buffers, shared tables, and a flat list of micro-ops for each core.
///
/// It is made for one machine (capacities, alignment and burst size decide its layout) and knows
/// nothing of time. The tables hold each distinct tile and amount of work once, so that a micro-op
/// is 40 bytes plus what is new about it.
public struct Program: Sendable {
  /// Most micro-ops of a program, over all cores and before events are added: 2^24, about a
  /// gigabyte with everything that belongs to them.
  public static let microOpLimit = 1 << 24

  /// Bytes that a micro-op takes while its program is built.
  private static let buildingBytes = 96

  /// Most micro-ops of a program in so much memory.
  public static func microOpLimit(in memory: MemoryLimit) -> Int {
    min(microOpLimit, memory.bytes / buildingBytes)
  }

  /// The machine that the layout was made for.
  public var machine: MachineConfiguration
  /// The micro-ops that the records' opcodes index.
  public var catalogue: OpCatalogue
  public var buffers: [Buffer]
  /// Row lists of gathering and scattering tiles, bound when the program is built.
  public var indexLists: [[Int32]]
  /// The names and shapes of those that files know, in the order of the lists.
  public var indexTensors: [IndexTensor]
  public var tiles: [TileRef]
  public var works: [Work]
  /// The rows of transfers, where the machine charges for them.
  public var rowProfiles: [RowProfile] = []
  public var scopes: [Scope]
  public var scopeLabels: [String]
  /// The names of opaque micro-ops; ``Work/name`` of their works is an index.
  public var opNames: [String]
  /// One list for each core.
  public var cores: [[OpRecord]]
  /// Copies to take while values are executed, by core and micro-op.
  public var taps: [Tap]
  /// The tensors that taps fill: dense, each at base 0 of a storage of its own, not in HBM.
  public var tapTensors: [Buffer]
  /// What is wrong with the program's layout; empty in a program that can be executed and timed.
  public var defects: [ProgramDefect]
  /// The most micro-ops that it might have had, where there were to be more; then it has none.
  public var exceededLimit: Int?

  public init(machine: MachineConfiguration, catalogue: OpCatalogue) {
    self.machine = machine
    self.catalogue = catalogue
    buffers = []
    indexLists = []
    indexTensors = []
    tiles = []
    works = [.none]
    scopes = [Scope(label: 0, iteration: -1, parent: 0)]
    scopeLabels = [""]
    opNames = []
    cores = []
    taps = []
    tapTensors = []
    defects = []
  }

  /// Throws `.limit` for a program that was to have too many micro-ops.
  public func requireWhole() throws(NPUError) {
    if let exceededLimit { throw Self.tooLong(exceededLimit) }
  }

  /// What is said of a program that was to have more micro-ops than `limit`.
  public static func tooLong(_ limit: Int) -> NPUError {
    NPUError(
      .limit, "found more than \(limit.counted("micro-op")), which is the limit of a program",
      hint: "use a smaller shape, or larger tiles")
  }

  /// Micro-ops over all cores.
  public var opCount: Int { cores.reduce(0) { $0 + $1.count } }

  /// The scope of a record as `outer[3]/inner`; empty at the top.
  public func scopePath(_ scope: UInt32) -> String {
    var parts: [String] = []
    var current = Int(scope)
    while current > 0 && current < scopes.count {
      let entry = scopes[current]
      let label = scopeLabels[Int(entry.label)]
      parts.append(entry.iteration < 0 ? label : "\(label)[\(entry.iteration)]")
      current = Int(entry.parent)
    }
    return parts.reversed().joined(separator: "/")
  }

  /// The labels of a scope without iteration numbers, innermost first.
  func labels(of scope: UInt32) -> String {
    labelNumbers(of: scope).map { scopeLabels[Int($0)] + "/" }.joined()
  }

  /// The numbers of the same.
  func labelNumbers(of scope: UInt32) -> [UInt32] {
    var numbers: [UInt32] = []
    var current = Int(scope)
    while current > 0 && current < scopes.count {
      numbers.append(scopes[current].label)
      current = Int(scopes[current].parent)
    }
    return numbers
  }

  /// The mnemonic of a record; of an opaque one its queue and its name.
  public func mnemonic(_ record: OpRecord) -> String {
    let entry = catalogue[record.opcode]
    return entry.isOpaque ? "\(record.queue.name).\(ownName(record))" : entry.mnemonic
  }

  /// The name of an opaque micro-op.
  func ownName(_ record: OpRecord) -> String {
    guard let name = works[Int(record.work)].name, opNames.indices.contains(name) else {
      return "op"
    }
    return opNames[name]
  }
}

/// A nested label with an optional iteration number.
public struct Scope: Sendable, Hashable {
  /// Index in ``Program/scopeLabels``.
  public var label: UInt32
  /// −1 where the scope is not an iteration.
  public var iteration: Int32
  /// Index of the enclosing scope; 0 is the top.
  public var parent: UInt32

  public init(label: UInt32, iteration: Int32, parent: UInt32) {
    self.label = label
    self.iteration = iteration
    self.parent = parent
  }
}

/// Something wrong with a program's layout, found while it was built: out of bounds, misaligned, too
/// large for a memory, illegal operands. A program with a defect is checked but never executed.
public struct ProgramDefect: Sendable, Hashable {
  /// What family and kind of defect it is.
  public var code: FindingCode
  /// What was found and what was needed.
  public var message: String
  public var core: Int
  /// Index of the micro-op in the core's list; `nil` when it concerns no single one.
  public var op: Int?
  /// The name of the buffer whose place or size is to blame, where it is one's.
  public var buffer: String?
  /// What to do.
  public var fix: String
  /// Further defects of the kind, of the same buffer at the same line or scope, folded into this one.
  public var folded = 0
  /// The tile to blame, where it is one.
  var tile: MisplacedTile?

  /// A tile that does not lie in its buffer as it must.
  struct MisplacedTile: Sendable, Hashable {
    /// Index in ``Program/buffers``.
    var buffer: UInt32
    var fault: TileFault
  }

  public init(
    code: FindingCode, message: String, core: Int, op: Int? = nil, buffer: String? = nil,
    fix: String
  ) {
    self.code = code
    self.message = message
    self.core = core
    self.op = op
    self.buffer = buffer
    self.fix = fix
  }
}
