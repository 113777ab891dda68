/// What is done with the operands of a micro-op, one after the other.
///
/// A micro-op names its operands once, in ``MicroOp/visit(_:)``; encoding, decoding, printing,
/// footprints and random legal operands are visitors. A visitor may read or replace each operand.
/// The order of the calls is the order of the words in an ``OpRecord`` and must not depend on the
/// operands' values.
public protocol OperandVisitor {
  /// A tile and how it is used.
  mutating func tile<S: MemorySpace>(_ name: String, _ tile: inout Tile<S>, _ access: Access)
  /// An FP32 immediate.
  mutating func scalar(_ name: String, _ value: inout Float)
  /// An integer immediate.
  mutating func integer(_ name: String, _ value: inout Int32)
  /// One of a fixed list of words.
  mutating func choice<C: OperandChoice>(_ name: String, _ value: inout C)
  /// A synchronisation event.
  mutating func event(_ name: String, _ value: inout Event)
  /// The unit flag, a choice whose first word is that there is none; the last operand.
  mutating func unitFlag<C: OperandChoice>(_ name: String, _ value: inout C)
}

/// A unit flag is a choice like others to most.
extension OperandVisitor {
  @inlinable public mutating func unitFlag<C: OperandChoice>(_ name: String, _ value: inout C) {
    choice(name, &value)
  }
}

/// A type with a fixed list of words, usable as an immediate.
public protocol OperandChoice: Sendable {
  /// The words, in the order of their indices.
  static var choices: [String] { get }
  /// Position of this value in ``choices``.
  var choiceIndex: Int { get }
  /// The value at a position of ``choices``, or `nil` outside it.
  init?(choiceIndex: Int)
}

/// The raw values of an enumeration, in order of declaration.
extension OperandChoice where Self: RawRepresentable<String> & CaseIterable & Equatable {
  public static var choices: [String] { allCases.map(\.rawValue) }
  public var choiceIndex: Int {
    var index = 0
    for value in Self.allCases {
      if value == self { return index }
      index += 1
    }
    return 0
  }
  public init?(choiceIndex: Int) {
    guard choiceIndex >= 0, choiceIndex < Self.allCases.count else { return nil }
    self = Self.allCases[Self.allCases.index(Self.allCases.startIndex, offsetBy: choiceIndex)]
  }
}

extension Bool: OperandChoice {
  public static var choices: [String] { ["no", "yes"] }
  public var choiceIndex: Int { self ? 1 : 0 }
  public init?(choiceIndex: Int) {
    guard choiceIndex == 0 || choiceIndex == 1 else { return nil }
    self = choiceIndex == 1
  }
}

extension Queue: OperandChoice {
  public static var choices: [String] { allCases.map(\.name) }
  public var choiceIndex: Int { index }
  public init?(choiceIndex: Int) {
    guard let raw = UInt8(exactly: choiceIndex), let queue = Queue(rawValue: raw) else {
      return nil
    }
    self = queue
  }
}
