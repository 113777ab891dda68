import Foundation
import NPUSim
import Testing

@Suite struct RunTests {
  static let small = "run softmax_v --kv 40 --heads 2 --head-dim 32"

  @Test func `a run prints one page, verdict first, and ends with 0`() throws {
    let result = try SimctlProcess.run(Self.small)
    #expect(result.status == 0)
    #expect(result.error == "")
    let verdict = try #require(result.text.range(of: "\nverdict "))
    let cycles = try #require(result.text.range(of: "\ncycles "))
    #expect(verdict.lowerBound < cycles.lowerBound)
    #expect(result.text.contains("clean"))
    #expect(result.text.contains("bit-exact"))
    for queue in Queue.allCases { #expect(result.text.contains("\n\(queue.name) ")) }
    #expect(!result.text.contains("\u{1B}"))
  }

  @Test func `the same command line prints the same bytes`() throws {
    let folder = try ScratchFolder()
    for flags in ["", " --json -", " --dump -", " --config ascend-950-like --seed 7 --stable"] {
      let first = try SimctlProcess.run(Self.small + flags)
      let second = try SimctlProcess.run(Self.small + flags, in: folder.path)
      #expect(first.status == 0, "\(first.error)")
      #expect(!first.output.isEmpty)
      #expect(first.output == second.output, "\(flags)")
    }
  }

  @Test func `the JSON report has the stable keys`() throws {
    let result = try SimctlProcess.run(Self.small + " --json - --set matrix.accumulator=fp32")
    #expect(result.status == 0)
    let json = try JSONValue.parse(result.output, file: "report")
    func at(_ path: String) -> JSONValue? {
      path.split(separator: ".").reduce(json as JSONValue?) { $0?[String($1)] }
    }
    #expect(at("kernel") == .string("softmax_v"))
    #expect(at("verdict") == .string("clean"))
    #expect(at("machine.name") == .string("edge"))
    #expect(at("machine.config.vector.lanes") == .integer(32))
    #expect(at("machine.config.matrix.accumulator") == .string("fp32"))
    #expect(at("numerics.bit_exact") == .bool(true))
    for path in [
      "schema", "cycles", "seconds", "bounds.roofline_cycles", "bounds.attainable_cycles",
      "bounds.critical_path_cycles", "queues.load.busy", "queues.vector.stalls.wait_event",
      "queues.matrix.ops", "bytes.hbm_read", "bytes.hbm_written", "macs", "throughput.value",
      "throughput.unit", "schedule", "numerics.checked_outputs", "numerics.total_outputs",
      "numerics.max_abs_error", "findings", "cores",
    ] {
      #expect(at(path) != nil, "\(path)")
    }
  }

  @Test func `busy and stalls of every queue add up to the cycles`() throws {
    let result = try SimctlProcess.run(Self.small + " --cores 2 --json -")
    let json = try JSONValue.parse(result.output, file: "report")
    let cycles = try #require(json["cycles"]).requireInt("cycles")
    let cores = try #require(json["cores"]).elements
    #expect(cores.count == 2)
    for core in cores {
      for queue in try #require(core["queues"]).members.map(\.value) {
        let stalls = try #require(queue["stalls"]).members.map(\.value)
        var sum = try #require(queue["busy"]).requireInt("busy")
        for stall in stalls { sum += try stall.requireInt("stall") }
        #expect(sum == cycles)
      }
    }
  }

  @Test func `a dump is what the next run expects, in either form`() throws {
    let folder = try ScratchFolder()
    for name in ["dump.safetensors", "dump"] {
      let path = folder(name)
      let run = try SimctlProcess.run(Self.small + " --dump \(path)")
      #expect(run.status == 0, "\(run.error)")
      let names = try TensorSet.read(path).names
      for step in ["qk_T", "exp-bf16", "exp_sum", "v", "exp_mxint8", "scaled_v", "inv", "out"] {
        #expect(names.contains("softmaxed_v.\(step)"))
      }
      #expect(names.contains("softmaxed_v.v.scale"))
      let compared = try SimctlProcess.run(Self.small + " --expect \(path)")
      #expect(compared.status == 0, "\(compared.text)")
      let other = try SimctlProcess.run(Self.small + " --seed 1 --expect \(path)")
      #expect(other.status == 1)
      #expect(other.text.contains("first at ["))
    }
  }

  @Test func `the inputs of a dump give its outputs again, through standard input too`() throws {
    let folder = try ScratchFolder()
    let all = folder("all.safetensors")
    #expect(try SimctlProcess.run(Self.small + " --seed 3 --dump \(all)").status == 0)
    let line = Self.small + " --inputs \(all) --expect \(all)"
    #expect(try SimctlProcess.run(line).status == 0)
    // The shell connects the file, so that binary bytes pass unchanged.
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = [
      "-c",
      "\(SimctlProcess.binary.path) \(Self.small) --inputs - --expect \(all) < \(all) >/dev/null",
    ]
    try process.run()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test func `a difference within the tolerance is no mismatch`() throws {
    let folder = try ScratchFolder()
    let path = folder("a.safetensors")
    let fp32 = Self.small + " --set matrix.accumulator=fp32 --dump \(path)"
    #expect(try SimctlProcess.run(fp32).status == 0)
    let exact = try SimctlProcess.run(Self.small + " --expect \(path)")
    #expect(exact.status == 1)
    #expect(exact.text.contains("written by"))
    #expect(try SimctlProcess.run(Self.small + " --expect \(path) --tolerance 100").status == 0)
  }

  @Test func `without values there is time and no numbers`() throws {
    let result = try SimctlProcess.run(Self.small + " --no-values --json -")
    #expect(result.status == 0)
    let json = try JSONValue.parse(result.output, file: "report")
    #expect(json["cycles"] != nil)
    #expect(json["numerics"] == nil)
  }

  @Test func `randomised timings change no word of a proved program`() throws {
    let result = try SimctlProcess.run(Self.small + " --jitter 20% --runs 3")
    #expect(result.status == 0)
    #expect(result.text.contains("no word changed"))
  }

  @Test func `NaN and infinity in the inputs are counted, and do not fail the run`() throws {
    let folder = try ScratchFolder()
    var scores = [Float](repeating: 0.5, count: 80)
    scores[3] = .nan
    scores[50] = .infinity
    scores[51] = -.infinity
    var inputs = TensorSet()
    try inputs.insert(
      Tensor(rounding: scores, to: .bf16, shape: [1, 2, 1, 40]), named: "softmaxed_v.qk_T")
    let path = folder("inputs.safetensors")
    try inputs.write(path, force: false)
    let result = try SimctlProcess.run(Self.small + " --inputs \(path)")
    #expect(result.status == 0, "\(result.error)\(result.text)")
    #expect(result.text.contains("1 NaN and 2 infinite elements"))
    #expect(result.text.contains("N001"))
  }

  @Test func `check proves a schedule without executing or timing it`() throws {
    let result = try SimctlProcess.run("check softmax_v --kv 40 --heads 2 --head-dim 32 --lint")
    #expect(result.status == 0, "\(result.text)")
    #expect(result.text.contains("free of races"))
    #expect(!result.text.contains("\ncycles "))
    let json = try JSONValue.parse(
      SimctlProcess.run("check softmax_v --kv 40 --json -").output, file: "report")
    #expect(json["proof"]?["proved"] == .bool(true))
  }

  @Test func `the help of a kernel lists its own flags with defaults, and its tensors`() throws {
    let page = try SimctlProcess.run("run softmax_v --help")
    #expect(page.status == 0)
    #expect(page.text.contains("--kv N "))
    #expect(page.text.contains("length of the cache, in tokens [128]"))
    #expect(page.text.contains("softmaxed_v.exp_mxint8"))
    #expect(try SimctlProcess.run("run --kv 3 --help softmax_v").text == page.text)
    #expect(try SimctlProcess.run("help run softmax_v").text == page.text)
  }

  @Test func `the page says more only when asked for what differs from run to run`() throws {
    let plain = try SimctlProcess.run(Self.small).text
    let meta = try SimctlProcess.run(Self.small + " --meta").text
    #expect(meta.hasPrefix(plain))
    #expect(meta.dropFirst(plain.count).contains("simctl "))
  }

  @Test func `the benchmark measures what it is asked to, and compares with a saved one`() throws {
    let result = try SimctlProcess.run("bench matrix --samples 1 --json")
    let lines = try JSONValue.parse(result.output, file: "bench").elements
    let matrix = lines.filter { $0["part"] == .string("matrix") }
    #expect(matrix.count == 8)
    for line in lines {
      #expect(line["unit"] == .string("GMAC/s"))
      #expect(try #require(line["value"]).requireDouble("value") > 0)
    }
    let folder = try ScratchFolder()
    _ = try folder.write(String(decoding: result.output, as: UTF8.self), "bench.json")
    let again = try SimctlProcess.run(
      "bench matrix --samples 1 --json --compare bench.json", in: folder.path)
    for line in try JSONValue.parse(again.output, file: "bench").elements {
      let old = lines.first { $0["name"] == line["name"] }
      #expect(line["before"] == old?["value"])
      #expect(try #require(line["ratio"]).requireDouble("ratio") > 0)
    }
    _ = try folder.write("[{\"part\": 1}]", "other.json")
    let wrong = try SimctlProcess.run(
      "bench matrix --samples 1 --compare other.json", in: folder.path)
    #expect(wrong.status == 2)
    #expect(wrong.error.contains("other.json:1:"))
  }
}
