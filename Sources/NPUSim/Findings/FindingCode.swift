/// The stable codes of findings; the first letter names the family.
public enum FindingCode: String, Sendable, CaseIterable, Hashable {
  /// Read-after-write, write-after-read, write-after-write race.
  case H001, H002, H003
  /// Unpaired set, surplus wait, leftover event, double set, event ID out of range, too many live
  /// IDs, queues without events, a set that may overtake a wait.
  case S001, S002, S003, S004, S005, S007, S008
  /// Deadlock cycle, starvation, capacity deadlock.
  case D001, D002, D003
  /// Out of bounds, misaligned, capacity exceeded, lifetime overlap, tensor bounds and illegal
  /// operands, slot errors, operands that share bytes.
  case M001, M002, M003, M004, M005, M006, M007
  /// Uninitialised read, output that is not written whole, input that is written.
  case I001, I002, I003
  /// NaN or infinity, saturation, accumulator drift, golden mismatch.
  case N001, N002, N003, N004, N005
  /// Redundant event, over-wide barrier, small transfer, unaligned burst, bank conflict, no double
  /// buffering, idle unit, dead store, HBM read back behind an event.
  case P001, P002, P003, P004, P005, P006, P007, P008, P009

  /// What is known of the code.
  public var kind: FindingKind {
    switch self {
    case .H001: .H001
    case .H002: .H002
    case .H003: .H003
    case .S001: .S001
    case .S002: .S002
    case .S003: .S003
    case .S004: .S004
    case .S005: .S005
    case .S007: .S007
    case .S008: .S008
    case .D001: .D001
    case .D002: .D002
    case .D003: .D003
    case .M001: .M001
    case .M002: .M002
    case .M003: .M003
    case .M004: .M004
    case .M005: .M005
    case .M006: .M006
    case .M007: .M007
    case .I001: .I001
    case .I002: .I002
    case .I003: .I003
    case .N001: .N001
    case .N002: .N002
    case .N003: .N003
    case .N004: .N004
    case .N005: .N005
    case .P001: .P001
    case .P002: .P002
    case .P003: .P003
    case .P004: .P004
    case .P005: .P005
    case .P006: .P006
    case .P007: .P007
    case .P008: .P008
    case .P009: .P009
    }
  }

  /// How bad it is, unless a finding says otherwise.
  public var severity: FindingKind.Severity { kind.severity }

  /// The statement of the code in a few words.
  public var title: String { kind.title }
}
