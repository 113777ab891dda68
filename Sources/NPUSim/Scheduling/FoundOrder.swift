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
  /// What looking for it took; `nil` where nobody looked.
  public var search: SearchCost?
}

/// What a search for an order took.
public struct SearchCost: Sendable, Hashable {
  /// Rules that made an order, those that made one which another rule had made among them.
  public var rules: Int
  /// The most bytes that were held at a time, counted from the sizes of lists: the micro-ops as they
  /// were emitted and the program that stands are not among them.
  public var bytes: Int
}
