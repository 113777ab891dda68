/// How the cores of a chip are grouped: one or more with the matrix side of a core, and one or more
/// with the vector side. Without groups every core has every queue.
public struct CoreGroups: Sendable, Hashable {
  /// Cores of a group that have the matrix side: load, feed, matrix, drain and store.
  public var matrixCores = 0
  /// Cores of a group that have the vector side: load, vector and store. They come behind those.
  public var vectorCores = 0

  public init() {}

  private var size: Int { matrixCores + vectorCores }

  /// Whether two cores are of one group; without groups any two are.
  public func joins(_ a: Int, _ b: Int) -> Bool { size == 0 || a / size == b / size }

  /// Whether a core has a queue.
  public func has(_ queue: Queue, core: Int) -> Bool {
    guard size > 0 else { return true }
    switch queue {
    case .load, .store: return true
    case .feed, .matrix, .drain: return core % size < matrixCores
    case .vector: return core % size >= matrixCores
    }
  }

  /// Whether some core lacks a queue.
  public var isStated: Bool { size > 0 }
}
