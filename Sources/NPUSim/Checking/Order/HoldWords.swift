/// What is said of a micro-op that waits for another one: a wait, a micro-op with a unit flag, or a set
/// that blocks.
struct HoldWords {
  /// In the order in which their fixes of a cycle are preferred.
  enum Kind: Int {
    case wait, unit, set
  }

  let kind: Kind
  /// What it waits for.
  let waits: String
  /// Before the name of the one that it waits for, and where there is none.
  let answered: String
  let unanswered: String
  /// Where that is not dispatched.
  let undispatched: String
  let title: String
  let fix: String

  /// `event` is that of a wait or set.
  init(_ record: OpRecord, event: String, tile: String) {
    switch (record.kind, record.queue) {
    case (.data, .drain):
      kind = .unit
      waits = "waits until a matmul with {unit=release} fills \(tile)"
      answered = "released by"
      unanswered = "which none does again"
      undispatched = "which is not dispatched yet"
      title = "a unit flag is never answered"
      fix =
        "write {unit=release} at the last matmul of \(tile) before it, or remove {unit=yes} from "
        + "the drain"
    case (.data, _):
      kind = .unit
      waits = "waits until a drain with {unit=yes} empties \(tile)"
      answered = "emptied by"
      unanswered = "which none does again"
      undispatched = "which is not dispatched yet"
      title = "a unit flag is never answered"
      fix =
        "write {unit=yes} at the drain of \(tile) before it, or {unit=hold} at the matmul that "
        + "released it before, if its chain goes on"
    case (.set, _), (.sequencerSet, _):
      kind = .set
      waits = "waits until \(event) is empty"
      answered = "taken by"
      unanswered = "for which nothing waits again"
      undispatched = "whose wait is not dispatched yet"
      title = "an event is never emptied"
      fix = "wait for \(event) once more, or remove the set"
    default:
      kind = .wait
      waits = "waits for \(event)"
      answered = "set by"
      unanswered = "which is not set again"
      undispatched = "whose set is not dispatched yet"
      title = "a wait is never answered"
      fix = "set \(event) once more, or remove the wait"
    }
  }

  /// How a cycle of waiting queues is broken.
  static func fix(ofCycle cycle: [HoldWords]) -> String {
    switch cycle.map(\.kind.rawValue).max().flatMap(Kind.init) {
    case .set:
      "give the second set another event ID, or move the wait for the first before it"
    case .unit:
      "move one of the waits, or of the micro-ops with a unit flag, after the micro-ops that it "
        + "waits for"
    case .wait, nil: "move one of the waits after the micro-ops that its set depends on"
    }
  }
}
