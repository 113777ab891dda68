import NPUSim

/// A field of a schedule: its name, its value, and what it may hold on any machine.
///
/// What a machine has room for is judged by the schedules themselves.
public struct ScheduleField: Sendable, Hashable {
  /// As typed: `tile.kv`.
  public let name: String
  public internal(set) var value: Int
  /// What `--schedule` may set it to.
  public let range: ClosedRange<Int>

  /// Most slots of a ring: a slot takes an event ID, and no machine has more for a pair of queues.
  static let mostSlots = 65_535

  /// A size of a tile, at most ``ShapeLimits/maximumExtent``.
  static func extent(_ name: String, _ value: Int) -> ScheduleField {
    ScheduleField(name: name, value: value, range: 1...ShapeLimits.maximumExtent)
  }

  /// A number of slots, stages or parts: each takes an event ID.
  static func slots(_ name: String, _ value: Int) -> ScheduleField {
    ScheduleField(name: name, value: value, range: 1...mostSlots)
  }

  /// One of some numbered choices.
  static func choice(_ name: String, _ value: Int, _ range: ClosedRange<Int>) -> ScheduleField {
    ScheduleField(name: name, value: value, range: range)
  }
}
