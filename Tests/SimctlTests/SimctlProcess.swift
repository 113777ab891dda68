import Foundation

/// Runs the built command as a user does.
struct SimctlProcess {
  /// What a run left behind.
  struct Result {
    var status: Int32
    var output: [UInt8]
    var error: String

    /// Standard output as text.
    var text: String { String(decoding: output, as: UTF8.self) }
  }

  /// The binary, beside the tests' own.
  static var binary: URL {
    let bundle = Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }
    let beside =
      bundle?.bundleURL ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
    return beside.deletingLastPathComponent().appendingPathComponent("simctl")
  }

  /// Runs `simctl` with the words of `line`, which are separated by single spaces.
  static func run(_ line: String, input: String? = nil, in folder: String? = nil) throws -> Result {
    try run(line.isEmpty ? [] : line.components(separatedBy: " "), input: input, in: folder)
  }

  /// Runs `simctl` with these arguments; nothing of the caller's terminal or colours reaches it.
  ///
  /// `limits` are commands of the shell that starts it, such as `ulimit -v 500000`.
  static func run(
    _ arguments: [String], input: String? = nil, in folder: String? = nil,
    environment: [String: String] = [:], limits: String? = nil
  ) throws -> Result {
    let scratch = FileManager.default.temporaryDirectory.appendingPathComponent(
      "simctl-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    let files = ["in", "out", "err"].map { scratch.appendingPathComponent($0) }
    for file in files { try Data((input ?? "").utf8).write(to: file) }
    let process = Process()
    process.executableURL = limits == nil ? binary : URL(fileURLWithPath: "/bin/sh")
    process.arguments =
      limits.map { ["-c", "\($0); exec \"$0\" \"$@\"", binary.path] + arguments } ?? arguments
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    process.environment = ["PATH": "/usr/bin:/bin"].merging(environment) { $1 }
    process.standardInput = try FileHandle(forReadingFrom: files[0])
    try Data().write(to: files[1])
    try Data().write(to: files[2])
    process.standardOutput = try FileHandle(forWritingTo: files[1])
    process.standardError = try FileHandle(forWritingTo: files[2])
    try process.run()
    process.waitUntilExit()
    let error = try Data(contentsOf: files[2])
    return Result(
      status: process.terminationReason == .exit
        ? process.terminationStatus : -process.terminationStatus,
      output: Array(try Data(contentsOf: files[1])), error: String(decoding: error, as: UTF8.self))
  }
}
