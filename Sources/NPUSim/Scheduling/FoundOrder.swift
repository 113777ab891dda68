/// What came of looking for the order of a program.
public struct FoundOrder: Sendable {
  public var program: Program
  /// By core and place in the sequence: the index of the micro-op in the core's list.
  public var places: [[UInt32]]
  /// The rule that gave the order; `nil` where the written one stands.
  public var rule: OrderRule?
  /// Cycles of written order; `nil` of a program that cannot be timed.
  public var writtenCycles: Int64?
  /// Cycles of the program.
  public var cycles: Int64?
}
