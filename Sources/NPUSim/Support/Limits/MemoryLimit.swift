#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// How much memory something may take.
public struct MemoryLimit: Sendable, Hashable {
  public var bytes: Int

  public init(bytes: Int) { self.bytes = max(0, bytes) }

  /// The units of ``init(parsing:)``.
  private static let units: [(name: String, bytes: Int)] = [
    ("kib", 1 << 10), ("mib", 1 << 20), ("gib", 1 << 30), ("tib", 1 << 40), ("kb", 1_000),
    ("mb", 1_000_000), ("gb", 1_000_000_000), ("tb", 1_000_000_000_000), ("b", 1),
  ]

  /// A limit as users write it: a whole number of bytes, or of a unit: `2GB`, `512MiB`.
  ///
  /// - Throws: `.usage` for anything else, also for 0 and for more than 2^62 bytes.
  public init(parsing text: String) throws(NPUError) {
    let lower = text.lowercased()
    let unit = Self.units.first { lower.hasSuffix($0.name) }
    let digits = unit.map { lower.dropLast($0.name.count) } ?? lower[...]
    let isNumber = !digits.isEmpty && digits.utf8.allSatisfy { (48...57).contains($0) }
    guard isNumber, let count = Int(digits), count > 0 else { throw Self.wrong(text) }
    let (bytes, isOver) = count.multipliedReportingOverflow(by: unit?.bytes ?? 1)
    guard !isOver, bytes <= 1 << 62 else { throw Self.wrong(text) }
    self.bytes = bytes
  }

  private static func wrong(_ text: String) -> NPUError {
    NPUError(
      .usage, "found '\(text)', needed a number of bytes from 1 to 2^62",
      hint: "write bytes, or a whole number of KB, MB, GB, TB, KiB, MiB, GiB or TiB: 2GB")
  }

  // MARK: The process

  /// Three quarters of what the process may still take: of the physical memory, of the limits of its
  /// control groups, and of what its resource limits for addresses and data leave it, the least.
  public static func ofProcess() -> MemoryLimit {
    var least = physical()
    for limit in controlGroups() { least = min(least, limit) }
    let taken = takenPages()
    if let limit = resource(RLIMIT_AS) { least = min(least, limit - taken.addresses) }
    if let limit = resource(RLIMIT_DATA) { least = min(least, limit - taken.data) }
    return MemoryLimit(bytes: max(0, least) / 4 * 3)
  }

  private static func physical() -> Int {
    let (bytes, isOver) = Int(sysconf(Int32(_SC_PHYS_PAGES)))
      .multipliedReportingOverflow(by: Int(sysconf(Int32(_SC_PAGESIZE))))
    return isOver || bytes <= 0 ? Int.max : bytes
  }

  #if canImport(Glibc)
    private typealias Resource = __rlimit_resource
  #else
    private typealias Resource = Int32
  #endif

  /// A resource limit; `nil` where there is none.
  private static func resource(_ resource: Resource) -> Int? {
    var limit = rlimit()
    #if canImport(Glibc)
      let outcome = getrlimit(__rlimit_resource_t(resource.rawValue), &limit)
    #else
      let outcome = getrlimit(resource, &limit)
    #endif
    guard outcome == 0, limit.rlim_cur < UInt64(Int.max) else { return nil }
    return Int(limit.rlim_cur)
  }

  /// The limits of the control groups that the process is in; none where the system has no groups.
  private static func controlGroups() -> [Int] {
    var files = ["/sys/fs/cgroup/memory/memory.limit_in_bytes"]
    for line in text(of: "/proc/self/cgroup").split(separator: "\n") {
      // Of the one hierarchy that version 2 has, every group above counts, too.
      guard line.hasPrefix("0::/") else { continue }
      var path = String(line.dropFirst(3))
      while true {
        files.append("/sys/fs/cgroup\(path == "/" ? "" : path)/memory.max")
        guard path != "/", let slash = path.lastIndex(of: "/") else { break }
        path = slash == path.startIndex ? "/" : String(path[..<slash])
      }
    }
    return files.compactMap { Int(text(of: $0).filter { !$0.isWhitespace }) }
  }

  /// Bytes of addresses and of data that the process has.
  private static func takenPages() -> (addresses: Int, data: Int) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let words = text(of: "/proc/self/statm").split(separator: " ").map { Int($0) ?? 0 }
    guard words.count > 5 else { return (0, 0) }
    return (words[0] * page, words[5] * page)
  }

  /// The first bytes of a file of the system; empty where it cannot be read.
  private static func text(of path: String) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return "" }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    let count = read(descriptor, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : ""
  }
}
