/// What a finding's code means, the smallest program that has it, and how to remove it.
///
/// Programs in examples are one micro-op a line, in program order; what follows `;` is a remark.
public struct Explanation: Sendable, Hashable {
  /// One paragraph: what was found, and why it matters.
  public var meaning: String
  /// A few lines.
  public var example: String
  /// One paragraph: what to change.
  public var fix: String

  init(_ meaning: String, example: String, fix: String) {
    self.meaning = meaning
    self.example = example
    self.fix = fix
  }

  /// The explanation of a code.
  public static func of(_ code: FindingCode) -> Explanation {
    switch code {
    case .H001, .H002, .H003: hazard(code)
    case .S001, .S002, .S003, .S004, .S005, .S007, .S008: synchronisation(code)
    case .D001, .D002, .D003: deadlock(code)
    case .M001, .M002, .M003, .M004, .M005, .M006, .M007, .I001: memory(code)
    case .I002, .I003: role(code)
    case .N001, .N002, .N003, .N004, .N005: numerics(code)
    case .P001, .P002, .P003, .P004, .P005, .P006, .P007, .P008, .P009: performance(code)
    }
  }
}
