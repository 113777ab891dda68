/// Some formats of elements, as a bit for each: rules ask for them at every micro-op.
public struct FormatSet: ExpressibleByArrayLiteral, Sendable, Hashable {
  /// Bit `rawValue` of each format.
  private(set) var bits: UInt32 = 0

  public init(arrayLiteral formats: ElementFormat...) { self.init(formats) }

  public init(_ formats: some Sequence<ElementFormat>) {
    for format in formats { insert(format) }
  }

  init(bits: UInt32) { self.bits = bits }

  /// Every format.
  public static let all = FormatSet(ElementFormat.allCases)

  mutating func insert(_ format: ElementFormat) { bits |= 1 << UInt32(format.rawValue) }

  /// Whether a format is one of them.
  public func contains(_ format: ElementFormat) -> Bool {
    bits >> UInt32(format.rawValue) & 1 != 0
  }

  /// The formats, in the order of their declaration.
  public var formats: [ElementFormat] { ElementFormat.allCases.filter(contains) }
}
