/// A parameter of a text, and the value that it was assembled with.
public struct TextParameter: Sendable, Hashable {
  public enum Value: Sendable, Hashable {
    case whole(Int64)
    case real(Double)
  }

  public var name: String
  public var value: Value

  /// The value as `--param` takes it.
  public var text: String {
    switch value {
    case .whole(let number): "\(number)"
    case .real(let number): "\(number)"
    }
  }
}
