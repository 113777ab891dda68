import Synchronization

/// The tables of special functions on BF16 that a machine's cores share, each built when a core has
/// evaluated the function so often that a table pays.
final class FunctionTables: Sendable {
  private let mode: SFUMode
  private let built = Mutex<[SpecialFunction: BF16FunctionTable]>([:])

  init(mode: SFUMode) { self.mode = mode }

  /// The table of a function, built at the first call.
  func table(_ function: SpecialFunction) -> BF16FunctionTable {
    built.withLock { built in
      if let table = built[function] { return table }
      let table = BF16FunctionTable(function, mode: mode)
      built[function] = table
      return table
    }
  }
}

/// How often one core evaluated each special function on BF16, and the tables that it uses.
struct FunctionUses {
  /// Evaluations after which a table is used: its 65,536 entries cost about as much.
  static let worthTable = 32_768

  var counts = InlineArray<9, Int>(repeating: 0)
  var tables = InlineArray<9, BF16FunctionTable?>(repeating: nil)
}

extension SpecialFunction {
  /// Position among all cases.
  var index: Int {
    switch self {
    case .exp: 0
    case .exp2: 1
    case .reciprocal: 2
    case .rsqrt: 3
    case .sin: 4
    case .cos: 5
    case .sigmoid: 6
    case .silu: 7
    case .log: 8
    }
  }

  /// What an argument is to the function: 0 is a pole of three of them.
  func operandKind(_ argument: Float) -> OperandKind {
    switch self {
    case .reciprocal, .rsqrt, .log: argument == 0 ? .pole : OperandKind(argument)
    case .exp, .exp2, .sin, .cos, .sigmoid, .silu: OperandKind(argument)
    }
  }
}

extension Datapath {
  /// A special function of `count` elements as BF16 words, rounded once, and counts what is not
  /// finite. In place is allowed.
  mutating func specialToBF16(
    _ function: SpecialFunction, _ source: UnsafePointer<UInt8>, _ format: ElementFormat,
    _ words: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    let index = function.index
    if format == .bf16 {
      var arguments = UnsafeRawPointer(source).assumingMemoryBound(to: UInt16.self)
      if arguments == UnsafePointer(words) {
        // The results take the place of what they are judged by.
        let copy = UnsafeMutableRawPointer(scratch(1)).assumingMemoryBound(to: UInt16.self)
        copy.update(from: arguments, count: count)
        arguments = UnsafePointer(copy)
      }
      if Bulk.computes(function, mode: settings.sfuMode) {
        Bulk.special(function, mode: settings.sfuMode, bf16: arguments, words, count: count)
        countNonFinite(bf16: words, count: count) {
          function.operandKind(BF16(bits: arguments[$0]).float)
        }
        return
      }
      if functionUses.tables[index] == nil {
        functionUses.counts[index] += count
        if functionUses.counts[index] >= FunctionUses.worthTable {
          functionUses.tables[index] = functionTables.table(function)
        }
      }
      if let table = functionUses.tables[index] {
        table.apply(arguments, words, count: count)
        countNonFinite(bf16: words, count: count) {
          function.operandKind(BF16(bits: arguments[$0]).float)
        }
        return
      }
    }
    let values = scratch(0)
    widen(source, format, to: values, count: count)
    Bulk.specialToBF16(function, mode: settings.sfuMode, values, words, count: count)
    countNonFinite(bf16: words, count: count) { function.operandKind(values[$0]) }
  }
}
