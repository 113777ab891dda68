extension RunReport {
  /// A finding with its sites in words.
  public struct Described: Sendable {
    public var finding: Finding
    /// One for each site, or the declaration of the buffer where there is no site.
    public var places: [FindingPlace]
    /// The first race of each of the finding's pairs: both micro-ops in words.
    public var pairs: [(first: FindingPlace, second: FindingPlace)] = []
    /// Where the buffer is declared that a tile lies outside of, where that is known.
    public var declaration: FindingPlace?
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
