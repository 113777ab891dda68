/// What the results of micro-ops contained, counted over elements.
public struct NumericHealth: Sendable, Hashable {
  /// NaN results (elements written, FP8 codes, MX blocks made NaN), but at poles.
  public var nans = 0
  /// Infinite results of finite operands, but at poles.
  public var infinities = 0
  /// FP8 codes clamped to the largest finite value.
  public var saturated = 0
  /// Followed chains of BF16 accumulators whose rounded-away addends together exceed 1/32 of the
  /// accumulator.
  public var drifting = 0
  /// The largest share that a chain lost that way, when it was first found to drift.
  public var largestDrift = 0.0

  public init() {}

  /// Adds the counts of other results.
  mutating func add(_ other: NumericHealth) {
    nans += other.nans
    infinities += other.infinities
    saturated += other.saturated
    drifting += other.drifting
    largestDrift = max(largestDrift, other.largestDrift)
  }

  /// Counts the NaN and infinite words of a 16-bit format whose exponent field is `exponent`;
  /// `operands` is asked where there is one.
  mutating func countNonFinite(
    _ words: UnsafePointer<UInt16>, exponent: UInt16, count: Int, operands: (Int) -> OperandKind
  ) {
    // The common case is one branch-free pass that finds nothing.
    if Bulk.hasSpecial(words, exponent: exponent, count: count) {
      tally(words, exponent: exponent, count: count, operands)
    }
  }

  /// Counts the NaN and infinite FP32 words; `operands` is asked where there is one.
  mutating func countNonFinite(
    _ words: UnsafePointer<UInt32>, count: Int, operands: (Int) -> OperandKind
  ) {
    if Bulk.hasSpecial(words, count: count) {
      tally(words, exponent: 0x7F80_0000, count: count, operands)
    }
  }

  /// Counts the FP8 codes that are NaN or infinite; `operands` is asked where there is one.
  mutating func countNonFinite(
    _ codes: UnsafePointer<UInt8>, _ format: FP8Block.Format, count: Int,
    operands: (Int) -> OperandKind
  ) {
    let first: UInt8 = format == .e4m3fn ? 0x7F : 0x7C
    var hasSpecial: UInt8 = 0
    for index in 0..<count { hasSpecial |= codes[index] & 0x7F >= first ? 1 : 0 }
    if hasSpecial == 0 { return }
    for index in 0..<count where codes[index] & 0x7F >= first {
      add(isNaN: format.value(codes[index]).isNaN, of: operands(index))
    }
  }

  private mutating func tally<Word: FixedWidthInteger>(
    _ words: UnsafePointer<Word>, exponent: Word, count: Int, _ operands: (Int) -> OperandKind
  ) {
    let magnitude = exponent | (exponent &- 1) & ~(1 << (Word.bitWidth - 1))
    for index in 0..<count where words[index] & exponent == exponent {
      add(isNaN: words[index] & magnitude != exponent, of: operands(index))
    }
  }

  /// Counts a NaN or an infinity that came of operands of some kind.
  mutating func add(isNaN: Bool, of operands: OperandKind) {
    switch operands {
    case .finite where !isNaN: infinities += 1
    case .finite, .nonFinite: nans += isNaN ? 1 : 0
    case .pole: break
    }
  }
}
