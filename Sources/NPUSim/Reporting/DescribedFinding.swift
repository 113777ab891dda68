extension RunReport {
  /// A finding with its sites in words.
  public struct Described: Sendable {
    /// A micro-op that a finding names.
    public struct Place: Sendable {
      /// Micro-op and operands: `#12 vector.exp dst, src`.
      public var text: String
      /// The queue's name.
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

    public var finding: Finding
    /// One for each site, or the declaration of the buffer where there is no site.
    public var places: [Place]
    /// The first race of each of the finding's pairs: both micro-ops in words.
    public var pairs: [(first: Place, second: Place)] = []
    /// Where the buffer is declared that a tile lies outside of, where that is known.
    public var declaration: Place?
    /// The bytes concerned: buffer, memory and place; `nil` where it concerns none.
    public var bytes: String?

    public init(_ finding: Finding, in program: Program) {
      self.finding = finding
      places = finding.sites.map { program.place($0) }
      pairs = finding.pairs.compactMap { pair in
        pair.races.first.map { (program.place($0.first), program.place($0.second)) }
      }
      guard let region = finding.region, let index = finding.buffer,
        program.buffers.indices.contains(Int(index))
      else { return }
      let buffer = program.buffers[Int(index)]
      let isScale = region.plane != Plane(payloadOf: buffer.space)
      let base = region.base - (isScale ? buffer.scaleBase : buffer.base)
      let rows = region.rows > 1 ? ", \(region.rows) rows at a pitch of \(region.pitch)" : ""
      bytes =
        "\(region.runBytes) \(isScale ? "scale bytes" : "bytes") from byte \(base) of \(buffer.name) "
        + "in \(buffer.space.name)\(rows)"
    }
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
  func place(_ site: Finding.Site) -> RunReport.Described.Place {
    guard cores.indices.contains(site.core), cores[site.core].indices.contains(site.op) else {
      return .init(text: "core \(site.core) #\(site.op)", queue: "", scope: "")
    }
    let record = cores[site.core][site.op]
    let operands = catalogue[record.opcode].describe(record, self).joined(separator: ", ")
    let core = cores.count > 1 ? "core \(site.core) " : ""
    return .init(
      text: "\(core)#\(site.op) \(mnemonic(record)) \(operands)", queue: record.end.name,
      scope: scopePath(record.scope))
  }
}
