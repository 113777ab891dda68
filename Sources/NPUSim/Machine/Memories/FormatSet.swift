/// Some formats of elements, as a bit for each: rules ask for them at every micro-op.
struct FormatSet: ExpressibleByArrayLiteral, Sendable {
  private var bits: UInt32 = 0

  init(arrayLiteral formats: ElementFormat...) {
    for format in formats { bits |= 1 << UInt32(format.rawValue) }
  }

  /// Whether a format is one of them.
  func contains(_ format: ElementFormat) -> Bool { bits >> UInt32(format.rawValue) & 1 != 0 }

  /// The formats, in the order of their declaration.
  var formats: [ElementFormat] { ElementFormat.allCases.filter(contains) }
}
