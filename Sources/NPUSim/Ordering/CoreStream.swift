/// The micro-ops of one core as they were emitted, with the tokens that each waits for.
struct CoreStream {
  private(set) var records: [OpRecord] = []
  /// Dependencies of record `i`: `dependencies[ends[i - 1]..<ends[i]]`, positions in ``records``.
  private(set) var dependencies: [UInt32] = []
  private(set) var ends: [UInt32] = []
  private(set) var hasExplicitEvents = false
  private(set) var defects: [ProgramDefect] = []

  /// Appends a record that waits for the tokens added since the last one.
  mutating func append(_ record: OpRecord) {
    records.append(record)
    ends.append(UInt32(dependencies.count))
    if record.kind.isOfEvent || record.kind.isBetweenCores { hasExplicitEvents = true }
  }

  /// Lets the next record wait for a token.
  @inline(__always)
  mutating func wait(for token: Token, core: Int) {
    if Int(token.core) == core {
      dependencies.append(token.op)
    } else {
      reject(token, core: core)
    }
  }

  @inline(never)
  private mutating func reject(_ token: Token, core: Int) {
    defects.append(
      ProgramDefect(
        code: .S001,
        message: "a token of core \(token.core) is waited for on core \(core)", core: core,
        op: records.count, fix: "order cores with a barrier over the cores"))
  }

  /// Lets the next record wait for nothing after all.
  mutating func forgetDependencies() {
    dependencies.removeLast(dependencies.count - Int(ends.last ?? 0))
  }

  /// Appends a record of a program whose order is all explicit.
  ///
  /// What its records depend on is not looked at, so it has no entry in ``ends``.
  mutating func append(asWritten record: OpRecord) {
    records.append(record)
    hasExplicitEvents = true
  }

  /// Makes room for so many records in all.
  mutating func reserve(_ count: Int) { records.reserveCapacity(count) }
}
