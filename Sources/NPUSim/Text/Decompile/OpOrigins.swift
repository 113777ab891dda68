/// Where the micro-ops of a program stand in the source that they come from.
public struct OpOrigins: Sendable, Hashable {
  /// A file and a line from 1 on; no place has line 0.
  public struct Place: Sendable, Hashable {
    public var file: UInt32
    public var line: Int32

    public static let none = Place(file: 0, line: 0)
  }

  /// The names of the files.
  public var files: [String] = []
  /// A place for each micro-op of each core.
  public var places: [[Place]] = []

  public init() {}

  /// The place of a micro-op.
  public subscript(core: Int, op: Int) -> Place {
    guard places.indices.contains(core), places[core].indices.contains(op) else { return .none }
    return places[core][op]
  }
}
