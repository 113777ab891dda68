import Foundation
import NPUSim
import Testing

/// Results written to what is no regular file, and runs that are to stop.
@Suite struct OutputPlaceTests {
  static let small = "run softmax --rows 2 --cols 8"

  private let folder: ScratchFolder

  init() throws { folder = try ScratchFolder() }

  /// A script whose waiting nobody has to sit out: it is ended after half a minute.
  private func shell(_ script: String) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(filePath: "/bin/bash")
    process.arguments = ["-c", "timeout -k 1 30 bash -c \"$script\""]
    process.environment = [
      "PATH": "/usr/bin:/bin", "simctl": SimctlProcess.binary.path, "script": script,
    ]
    process.currentDirectoryURL = URL(filePath: folder.path)
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationStatus, output)
  }

  @Test(arguments: ["json", "dump"])
  func `the reader of a named pipe gets everything, once, and the run ends`(flag: String) throws {
    let needed = try SimctlProcess.run(Self.small + " --\(flag) -").output
    let result = try shell(
      "mkfifo f; cat f > got & $simctl \(Self.small) --\(flag) f > page; code=$?; wait; exit $code")
    #expect(result.status == 0, "\(result.output)")
    #expect(try folder.read("got") == needed)
    #expect(folder.names == ["f", "got", "page"])
    let type = try FileManager.default.attributesOfItem(atPath: folder("f"))[.type]
    #expect(type as? FileAttributeType != .typeRegular)
    // The same through the shell's own pipe.
    let substitution = try shell("$simctl \(Self.small) --\(flag) >(cat > again) > page; wait")
    #expect(substitution.status == 0, "\(substitution.output)")
  }

  @Test(arguments: ["json", "dump", "inputs", "expect"])
  func `a run that waits for the other end of a pipe can be ended`(flag: String) throws {
    for signal in ["TERM", "INT"] {
      // Without an other end the run never goes on: only the signal can end it.
      let result = try shell(
        """
        set -m; mkfifo f; $simctl \(Self.small) --\(flag) f > page 2>&1 & run=$!
        for i in $(seq 100); do
          sleep 0.05; kill -\(signal) $run 2>/dev/null; jobs -r > jobs; [ -s jobs ] || break
        done
        wait $run; code=$?; rm f jobs; exit $code
        """)
      #expect(result.status == (signal == "TERM" ? 143 : 130), "\(flag) \(signal) \(result)")
    }
  }

  @Test func `standard output has several names, and devices are written to`() throws {
    let needed = try SimctlProcess.run(Self.small + " --json -").text
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"] {
      #expect(try SimctlProcess.run(Self.small + " --json \(name)").text == needed, "\(name)")
      // A file that the shell has opened is not taken for one that must not be overwritten.
      let result = try shell("$simctl \(Self.small) --json \(name) > out")
      #expect(result.status == 0, "\(result.output)")
      #expect(try folder.read("out") == Array(needed.utf8))
    }
    let third = try shell("$simctl \(Self.small) --json /dev/fd/3 3> third > page")
    #expect(third.status == 0, "\(third.output)")
    #expect(try folder.read("third") == Array(needed.utf8))
    for flags in ["--json /dev/null", "--dump /dev/null", "--dump /dev/null --force"] {
      #expect(try SimctlProcess.run(Self.small + " " + flags).status == 0, "\(flags)")
    }
    let both = try SimctlProcess.run(Self.small + " --json /dev/stdout --dump -")
    #expect(both.status == 2 && both.error.contains("cannot both go to standard output"))
  }

  @Test(arguments: ["--json /dev/full", "--dump /dev/full", "> /dev/full", "--json - > /dev/full"])
  func `a device without room is an error`(flags: String) throws {
    let result = try shell("$simctl \(Self.small) \(flags)")
    #expect(result.status == 2, "\(result.output)")
    #expect(result.output.contains("error: cannot write"), "\(result.output)")
  }

  @Test func `a limit on the size of files is an error and leaves nothing behind`() throws {
    for flag in ["--json report.json", "--dump d.safetensors", "--dump d"] {
      let result = try shell(
        "ulimit -f 1; $simctl run softmax --rows 4 --cols 512 \(flag) | cat; exit ${PIPESTATUS[0]}")
      #expect(result.status == 2, "\(flag) \(result.output)")
      #expect(result.output.contains("error: cannot write"), "\(result.output)")
      #expect(folder.names == [], "\(flag) \(folder.names)")
    }
  }
}
