/// The micro-ops of one core as they were emitted, with the tokens that each waits for.
struct CoreStream {
  private(set) var records: [OpRecord] = []
  /// Dependencies of record `i`: `dependencies[ends[i - 1]..<ends[i]]`, positions in ``records``.
  private(set) var dependencies: [UInt32] = []
  private(set) var ends: [UInt32] = []
  private(set) var hasExplicitEvents = false
  private(set) var defects: [ProgramDefect] = []

  mutating func append(_ record: OpRecord, after tokens: [Token], core: Int) {
    records.append(record)
    for token in tokens {
      if Int(token.core) == core {
        dependencies.append(token.op)
      } else {
        defects.append(
          ProgramDefect(
            code: .S001,
            message: "a token of core \(token.core) is waited for on core \(core)", core: core,
            op: records.count - 1, fix: "order cores with a barrier over the cores"))
      }
    }
    ends.append(UInt32(dependencies.count))
    if record.kind == .set || record.kind == .wait { hasExplicitEvents = true }
  }

  /// Appends a record of a program whose order is all explicit.
  mutating func append(asWritten record: OpRecord) {
    records.append(record)
    ends.append(UInt32(dependencies.count))
    hasExplicitEvents = true
  }
}
