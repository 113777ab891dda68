import NPUSim

/// The fields of a schedule with their values, in order: the line that reports print and that
/// `--schedule` takes.
public struct ScheduleFields: Sendable, Hashable {
  public struct Entry: Sendable, Hashable {
    public let field: ScheduleField
    public let value: Int

    public var name: String { field.name }
    /// The value as lines have it.
    public var text: String { field.values.text(value) }
  }

  public let fields: [Entry]

  init(_ fields: [Entry]) { self.fields = fields }

  /// The value of a field; `nil` where the schedule has no such field.
  public subscript(name: String) -> Int? { fields.first { $0.name == name }?.value }

  /// Names and values, as reports have them.
  public var values: [(name: String, value: RunReport.ScheduleValue)] {
    fields.map { entry in
      if case .words = entry.field.values { return (entry.name, .word(entry.text)) }
      return (entry.name, .number(entry.value))
    }
  }

  /// The fields as `--schedule` takes them.
  public var text: String { fields.map { "\($0.name)=\($0.text)" }.joined(separator: ",") }
}
