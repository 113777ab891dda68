/// The lines of a text at which the micro-ops of a program stand, found where they are asked for.
///
/// A program does not know how it was written. Whoever made it from a text does, and hands this to the
/// checker, so that findings are gathered by line.
public struct SourceLines: Sendable {
  /// Micro-ops that are looked for at most; further ones count as having no line.
  static let mostSites = 1 << 18

  private let find: @Sendable ([Finding.Site]) -> [Finding.Site: SourceLine]

  /// - Parameter find: the lines of those micro-ops that have one.
  public init(_ find: @escaping @Sendable ([Finding.Site]) -> [Finding.Site: SourceLine]) {
    self.find = find
  }

  /// The lines of some micro-ops.
  func of(_ sites: Set<Finding.Site>) -> [Finding.Site: SourceLine] {
    guard sites.count > Self.mostSites else { return find(Array(sites)) }
    let first = sites.sorted { ($0.core, $0.op) < ($1.core, $1.op) }.prefix(Self.mostSites)
    return find(Array(first))
  }
}
