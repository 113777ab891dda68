/// Two micro-ops that share a byte, one of them writing, whose order depends on the timing.
public struct Race: Sendable, Hashable, Comparable {
  /// `H001`, `H002` or `H003`, read in program order.
  public var code: FindingCode
  /// The one that comes first in program order (the lower core, between cores).
  public var first: Finding.Site
  public var second: Finding.Site

  public init(_ code: FindingCode, _ first: Finding.Site, _ second: Finding.Site) {
    self.code = code
    self.first = first
    self.second = second
  }

  public static func < (a: Race, b: Race) -> Bool {
    (a.first.core, a.first.op, a.second.core, a.second.op, a.code.rawValue)
      < (b.first.core, b.first.op, b.second.core, b.second.op, b.code.rawValue)
  }
}
