/// A line of a text, or of the source that a text says it comes from.
public struct SourceLine: Sendable, Hashable, CustomStringConvertible {
  /// The file, where it is another than that of most lines.
  public var file: String?
  /// From 1 on.
  public var number: Int

  public init(_ number: Int, of file: String? = nil) {
    self.number = number
    self.file = file
  }

  /// `12`, or `tiles.h:12` of another file.
  public var description: String { file.map { "\($0):\(number)" } ?? "\(number)" }
}
