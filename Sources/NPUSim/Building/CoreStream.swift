/// The micro-ops of one core as they were emitted.
struct CoreStream {
  private(set) var records: [OpRecord] = []
  /// Whether the core is kept as written: no event and no barrier is added.
  private(set) var isExplicit = false

  init(isExplicit: Bool = false) { self.isExplicit = isExplicit }

  /// Appends a record; an explicit event makes the core one that is kept as written.
  mutating func append(_ record: OpRecord) {
    records.append(record)
    if record.kind.isOfEvent || record.kind.isBetweenCores { isExplicit = true }
  }

  /// Makes room for so many records in all.
  mutating func reserve(_ count: Int) { records.reserveCapacity(count) }
}
