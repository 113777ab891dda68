extension RunReport {
  /// A finding as a page has it: in words, and without the program.
  public struct Described: Sendable {
    /// A micro-op: which, in words, and when it executes in the program's own timing.
    public struct Site: Sendable {
      public var site: Finding.Site
      public var place: FindingPlace
      public var time: Finding.SiteTime?
    }

    /// The first race of a pair of statements, and how many there are.
    public struct Pair: Sendable {
      public var code: FindingCode
      public var first: Site
      public var second: Site
      public var races: Int
      /// How many of them show in the program's own timing, where that was looked up.
      public var showing: Int?
    }

    /// The buffer concerned, by name.
    public struct NamedBuffer: Sendable, Hashable {
      public var name: String
      public var space: Space
    }

    public var code: FindingCode
    public var severity: FindingKind.Severity
    public var message: String
    public var sites: [Site]
    /// Where the buffer is declared that a finding without a site is about, or that a tile lies outside
    /// of, where that is known.
    public var declaration: FindingPlace?
    public var buffer: NamedBuffer?
    /// The bytes concerned: buffer, memory and place; `nil` where it concerns none.
    public var bytes: String?
    public var manifests: Bool?
    /// How near sets come to their waits, and how many sets it stands for.
    public var spare: Finding.Spare?
    public var sets: Int
    public var likelyCause: String?
    public var pairs: [Pair]
    public var missing: String?
    public var fix: String
    public var trial: FixTrial?
    public var folded: Int
    public var cores: Int
  }
}

extension RunReport.Described {
  public init(_ finding: Finding, in program: Program) {
    func site(_ site: Finding.Site, _ time: Finding.SiteTime? = nil) -> Site {
      Site(site: site, place: program.place(site), time: time)
    }
    let index = finding.buffer.map { Int($0) }
    let owner = index.flatMap {
      program.buffers.indices.contains($0) ? program.buffers[$0] : nil
    }
    self.init(
      code: finding.code, severity: finding.severity, message: finding.message,
      sites: finding.sites.indices.map { number in
        site(
          finding.sites[number], number < finding.times.count ? finding.times[number] : nil)
      },
      buffer: owner.map { NamedBuffer(name: $0.name, space: $0.space) },
      bytes: owner.flatMap { owner in finding.region.map { Self.words($0, of: owner) } },
      manifests: finding.manifests, spare: finding.spare, sets: finding.reuses.count,
      likelyCause: finding.likelyCause,
      pairs: finding.pairs.compactMap { pair in
        pair.races.first.map {
          Pair(
            code: $0.code, first: site($0.first), second: site($0.second),
            races: pair.races.count, showing: pair.showing)
        }
      },
      missing: finding.missing, fix: finding.fix, trial: finding.trial, folded: finding.folded,
      cores: finding.cores)
  }

  /// The bytes concerned, of a buffer.
  private static func words(_ region: Region, of owner: Buffer) -> String {
    let isScale = region.plane != Plane(payloadOf: owner.space)
    let base = region.base - (isScale ? owner.scaleBase : owner.base)
    let rows = region.rows > 1 ? ", \(region.rows) rows at a pitch of \(region.pitch)" : ""
    return "\(region.runBytes) \(isScale ? "scale bytes" : "bytes") from byte \(base) of "
      + "\(owner.name) in \(owner.space.name)\(rows)"
  }
}
