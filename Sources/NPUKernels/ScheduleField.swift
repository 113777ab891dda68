import NPUSim

/// A field of a schedule as it is declared: what it is called, what it may hold on any machine, and
/// what it does. Parsing, reports, help and completion all read it from here.
public struct ScheduleField: Sendable, Hashable {
  /// What a field may hold: whole numbers, or words that stand for some. What a machine has room for, and what fields and shape
  /// must have in common, the schedules judge themselves.
  public enum Values: Sendable, Hashable {
    /// A size of a tile, at most ``ShapeLimits/maximumExtent``.
    case extent
    /// A size of a tile in whole blocks of so many.
    case blocks(of: Int)
    /// The slots of a ring.
    case slots
    /// One of some numbers.
    case range(ClosedRange<Int>)
    /// One of some words; the number is its place among them.
    case words([String])

    /// Most slots of a ring.
    static let mostSlots = 65_535

    /// From the least to the most.
    public var range: ClosedRange<Int> {
      switch self {
      case .extent: 1...ShapeLimits.maximumExtent
      case .blocks(let size): size...ShapeLimits.maximumExtent
      case .slots: 1...Self.mostSlots
      case .range(let range): range
      case .words(let words): 0...(words.count - 1)
      }
    }

    /// What every one of them is a multiple of.
    var unit: Int { if case .blocks(let size) = self { size } else { 1 } }

    /// Smaller and larger values that are worth a trial: half and twice a size, one slot less and one
    /// more, and half of many.
    func around(_ value: Int) -> [Int] {
      let next: [Int] =
        switch self {
        case .extent, .blocks: [value / 2 / unit * unit, 2 * value]
        case .slots: [value - 1, value + 1] + (value > 3 ? [value / 2] : [])
        case .range: [value - 1, value + 1]
        case .words: []
        }
      return next.filter(contains)
    }

    public func contains(_ value: Int) -> Bool { range.contains(value) && value % unit == 0 }

    /// A value as lines of fields have it.
    public func text(_ value: Int) -> String {
      if case .words(let words) = self, words.indices.contains(value) { return words[value] }
      return "\(value)"
    }

    /// The value that a text stands for; `nil` where the field does not take it.
    func value(of text: String) -> Int? {
      if case .words(let words) = self { return words.firstIndex(of: text) }
      return Int(text).flatMap { contains($0) ? $0 : nil }
    }

    /// What an error asks for.
    var needed: String {
      if case .words(let words) = self { return words.joined(separator: " or ") }
      return (unit == 1 ? "a whole number" : "a multiple of \(unit)")
        + " from \(range.lowerBound) to \(range.upperBound)"
    }
  }

  /// As typed: `tile.kv`.
  public let name: String
  public let values: Values
  /// What it is, in one line, its unit included.
  public let summary: String
  /// How it is chosen where nobody gives it.
  public let standard: String
  /// Where only some programs of the kernel have the field, which ones.
  public internal(set) var condition: String?
  /// Whether words of the results depend on it.
  public let affectsValues: Bool

  /// What may be given, in a few words.
  public var legal: String {
    if case .words = values { return values.needed }
    return values.unit == 1
      ? "\(values.range.lowerBound) to \(values.range.upperBound)"
      : "multiples of \(values.unit) to \(values.range.upperBound)"
  }
}
