/// A micro-op that a finding names, in words.
public struct FindingPlace: Sendable, Hashable {
  /// Micro-op and operands: `#12 vector.exp dst, src`.
  public var text: String
  /// The queue's name; empty for what is no micro-op.
  public var queue: String
  /// The scope, `job[0]/exp[1]`; empty where there is none.
  public var scope: String
  /// The line of a text program.
  public var location: SourceLocation?
  /// The loops around that line with the turn of each: `i = 0, j = 4`.
  public var turns = ""
  /// The line itself, without the space around it.
  public var line: String?

  public init(
    text: String, queue: String, scope: String, location: SourceLocation? = nil,
    line: String? = nil
  ) {
    self.text = text
    self.queue = queue
    self.scope = scope
    self.location = location
    self.line = line
  }
}

extension Program {
  /// A micro-op as `#12 vector.exp dst, src (vector, job[0]/exp[1])`.
  public func line(_ site: Finding.Site) -> String {
    let place = place(site)
    if place.queue.isEmpty { return place.text }
    return place.text + " (\(place.queue)" + (place.scope.isEmpty ? ")" : " queue, \(place.scope))")
  }

  /// A micro-op in words; a site outside the program has its numbers only.
  public func place(_ site: Finding.Site) -> FindingPlace {
    guard cores.indices.contains(site.core), cores[site.core].indices.contains(site.op) else {
      return FindingPlace(text: "core \(site.core) #\(site.op)", queue: "", scope: "")
    }
    let record = cores[site.core][site.op]
    let operands = catalogue[record.opcode].describe(record, self).joined(separator: ", ")
    let core = cores.count > 1 ? "core \(site.core) " : ""
    return FindingPlace(
      text: "\(core)#\(site.op) \(mnemonic(record)) \(operands)", queue: record.end.name,
      scope: scopePath(record.scope))
  }
}
