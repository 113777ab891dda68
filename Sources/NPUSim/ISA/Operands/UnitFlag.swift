/// The unit flag of a matmul: what it does to its accumulator tile beside the product. A drain has one
/// that is set or not. docs/machine.md, "Unit flag".
public enum UnitFlag: UInt8, OperandChoice, Hashable {
  case none
  /// The matmul belongs to a chain that goes on.
  case hold
  /// The matmul ends its chain: the tile is handed over to the next drain that carries the flag.
  case release

  public static let choices = ["none", "hold", "release"]
  public var choiceIndex: Int { Int(rawValue) }
  public init?(choiceIndex: Int) {
    guard let raw = UInt8(exactly: choiceIndex), let flag = UnitFlag(rawValue: raw) else {
      return nil
    }
    self = flag
  }
}
