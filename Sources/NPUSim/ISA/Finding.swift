/// Something that a check or a run has to say about a program.
public struct Finding: Sendable, Hashable {
  /// A micro-op of a program.
  public struct Site: Sendable, Hashable {
    public var core: Int
    /// Index in the core's list.
    public var op: Int

    public init(core: Int, op: Int) {
      self.core = core
      self.op = op
    }
  }

  /// Races between two statements that the one edge which is missing would order.
  public struct Pair: Sendable, Hashable {
    /// At every turn of their loops, the first turn first.
    public var races: [Race]
    /// The buffer that they share, by index in ``Program/buffers``.
    public var buffer: UInt32?
    /// How many of them show in the program's own timing, where that was looked up.
    public var showing: Int?

    public init(races: [Race], buffer: UInt32? = nil, showing: Int? = nil) {
      self.races = races
      self.buffer = buffer
      self.showing = showing
    }
  }

  /// A set of an event, and the wait that has to take the event before it is set again.
  public struct Reuse: Sendable, Hashable {
    public var wait: Site
    public var set: Site

    public init(wait: Site, set: Site) {
      self.wait = wait
      self.set = set
    }
  }

  /// By how many cycles sets come after the waits that make room for them, in the program's own
  /// timing: the cycle in which the set fires less that from which the wait has passed. Below 0 the
  /// set comes too early.
  public struct Spare: Sendable, Hashable {
    /// Of the first of ``Finding/reuses``, which is printed.
    public var printed: Int64
    /// Of the one that comes earliest.
    public var least: Int64
    /// How many come too early.
    public var showing: Int

    public init(printed: Int64, least: Int64, showing: Int) {
      self.printed = printed
      self.least = least
      self.showing = showing
    }
  }

  /// Cycles in which a micro-op executes: it reads its sources from `start` until just before `free`,
  /// and its results are readable from `visible` on.
  public struct SiteTime: Sendable, Hashable {
    public var start: Int64
    public var free: Int64
    public var visible: Int64

    public init(start: Int64, free: Int64, visible: Int64) {
      self.start = start
      self.free = free
      self.visible = visible
    }
  }

  public var code: FindingCode
  public var severity: FindingKind.Severity
  /// One line: what was found, and what is needed unless ``missing`` says it.
  public var message: String
  /// The micro-ops concerned, the earlier one first; of an uninitialised read the reader, then who
  /// should have written.
  public var sites: [Site]
  /// The buffer concerned, by index in ``Program/buffers``.
  public var buffer: UInt32?
  /// Bytes concerned.
  public var region: Region?
  /// Whether it shows in the simulated timing (`true`), is latent (`false`), or has no timing.
  public var manifests: Bool?
  /// When each of ``sites`` executes in the program's own timing, where that was looked up.
  public var times: [SiteTime]
  /// Of a race: every pair of statements that what is missing would order; that of ``sites`` is the
  /// first one's first.
  public var pairs: [Pair] = []
  /// Of sets that may come before a wait: each with its wait; those of ``sites`` first.
  public var reuses: [Reuse] = []
  /// How near ``reuses`` come in the program's own timing, where that was looked up.
  public var spare: Spare?
  /// What is probably wrong where it is not the order: a slot of a ring that is filled for nothing.
  public var likelyCause: String?
  /// What would order the sites, such as `an event load->vector between #3 and #8`.
  public var missing: String?
  /// The smallest edit that removes it.
  public var fix: String
  /// Further findings of the same kind at the same places, folded into this one.
  public var folded: Int
  /// Cores on which the finding, or one that is folded into it, was made.
  public var cores: Int
  /// The fix as edits of the program, for this finding and those folded into it; empty where none is
  /// known, or where a choice is the user's.
  public var edits: [ProgramEdit]
  /// What applying the edits gave, where they were tried.
  public var trial: FixTrial?

  public init(
    _ code: FindingCode, severity: FindingKind.Severity? = nil, _ message: String,
    sites: [Site] = [],
    buffer: UInt32? = nil, region: Region? = nil, manifests: Bool? = nil,
    missing: String? = nil, fix: String, folded: Int = 0, edits: [ProgramEdit] = []
  ) {
    self.code = code
    self.severity = severity ?? code.severity
    self.message = message
    self.sites = sites
    self.buffer = buffer
    self.region = region
    self.manifests = manifests
    self.missing = missing
    times = []
    cores = 1
    self.fix = fix
    self.folded = folded
    self.edits = edits
  }
}

/// What a fix does to a program, found by applying it and timing it again.
public struct FixTrial: Sendable, Hashable {
  /// Cycles of the program as it is; `nil` where it never ends.
  public var cyclesBefore: Int64?
  /// Cycles with the fix; `nil` where it still cannot run.
  public var cyclesAfter: Int64?
  /// Whether the finding, and all that are folded into it, are gone.
  public var removesFinding: Bool
  /// Event IDs that the fix needs beyond those that the machine has.
  public var missingIdentifiers: Int

  public init(
    cyclesBefore: Int64?, cyclesAfter: Int64?, removesFinding: Bool, missingIdentifiers: Int = 0
  ) {
    self.cyclesBefore = cyclesBefore
    self.cyclesAfter = cyclesAfter
    self.removesFinding = removesFinding
    self.missingIdentifiers = missingIdentifiers
  }

  /// Cycles that the fix costs; negative where it gains.
  public var cost: Int64? {
    guard let cyclesBefore, let cyclesAfter else { return nil }
    return cyclesAfter - cyclesBefore
  }
}
