/// What something will take of memory, summed up before any of it is taken.
///
/// Sums and products stop at the largest number instead of overflowing.
public struct MemoryNeed: Sendable, Hashable {
  /// What the bytes are for, in the order in which they were added.
  public private(set) var parts: [Part] = []

  /// Bytes of one purpose.
  public struct Part: Sendable, Hashable {
    public var name: String
    public var bytes: Int
  }

  public init() {}

  /// All bytes.
  public var bytes: Int { parts.reduce(0) { Self.sum($0, $1.bytes) } }

  /// Adds `count` things of `each` bytes.
  public mutating func add(_ name: String, _ count: Int, times each: Int = 1) {
    let (product, isOver) = count.multipliedReportingOverflow(by: each)
    let bytes = isOver ? Int.max : max(0, product)
    guard bytes > 0 else { return }
    if let index = parts.firstIndex(where: { $0.name == name }) {
      parts[index].bytes = Self.sum(parts[index].bytes, bytes)
    } else {
      parts.append(Part(name: name, bytes: bytes))
    }
  }

  /// Both together.
  public func adding(_ other: MemoryNeed) -> MemoryNeed {
    other.parts.reduce(into: self) { $0.add($1.name, $1.bytes) }
  }

  /// Throws `.limit` where the bytes are more than the limit, with both numbers and what most of the
  /// bytes are for.
  public func require(_ limit: MemoryLimit) throws(NPUError) {
    guard bytes > limit.bytes else { return }
    let largest = parts.sorted { $0.bytes > $1.bytes }.prefix(3).map { "\($0.name) \($0.bytes)" }
    throw NPUError(
      .limit,
      "needs \(bytes) bytes of memory, the limit is \(limit.bytes): "
        + largest.joined(separator: ", "),
      hint: "use a smaller shape, or raise the limit with --max-memory")
  }

  private static func sum(_ a: Int, _ b: Int) -> Int {
    let (sum, isOver) = a.addingReportingOverflow(b)
    return isOver ? .max : sum
  }
}
