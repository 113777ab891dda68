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
}

extension Datapath {
  /// A special function of `count` elements as BF16 words, rounded once, and counts what is not
  /// finite.
  mutating func specialToBF16(
    _ function: SpecialFunction, _ source: UnsafePointer<UInt8>, _ format: ElementFormat,
    _ words: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    let index = function.index
    if format == .bf16 {
      let arguments = UnsafeRawPointer(source).assumingMemoryBound(to: UInt16.self)
      if Bulk.computes(function, mode: settings.sfuMode) {
        Bulk.special(function, mode: settings.sfuMode, bf16: arguments, words, count: count)
        countNonFinite(words, exponent: 0x7F80, count: count)
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
        countNonFinite(words, exponent: 0x7F80, count: count)
        return
      }
    }
    let values = scratch(0)
    widen(source, format, to: values, count: count)
    Bulk.specialToBF16(function, mode: settings.sfuMode, values, words, count: count)
    countNonFinite(words, exponent: 0x7F80, count: count)
  }
}
