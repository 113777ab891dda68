import Foundation
import NPUKernels
import NPUSim
import Testing

/// What a run says it needs, against the table of docs/limits.md.
@Suite struct RunMemoryTests {
  /// A kernel with inputs, intermediates in every format, and scales on chip.
  private static let one = KernelCase(
    "softmax_v", ["kv": "70", "heads": "4", "head-dim": "40"])

  private func request(_ one: KernelCase) throws -> RunRequest {
    var request = RunRequest(
      kernel: one.kernel, machine: try Presets.named("edge").configuration)
    request.arguments = one.arguments
    request.verification = .none
    return request
  }

  /// The bytes that a run is refused for under a limit.
  private func need(_ request: RunRequest, limit: Int = 1) throws -> Int {
    var request = request
    request.memoryLimit = MemoryLimit(bytes: limit)
    let error = #expect(throws: NPUError.self) { try Runner.run(request) }
    #expect(error?.category == .limit)
    let words = try #require(error?.message).split(separator: " ")
    return try #require(words.count > 1 && words[0] == "needs" ? Int(words[1]) : nil)
  }

  private func withBits(_ bytes: Int) -> Int { bytes + bytes / 8 }

  /// Bytes of the tensors of a role, scales included.
  private func bytes(_ one: KernelCase, _ roles: TensorSpec.Role...) throws -> [Int] {
    try one.make(on: Presets.named("edge").configuration).tensors
      .filter { roles.contains($0.role) }.map { spec in
        let elements = spec.shape.reduce(1, *)
        guard spec.format == .mxint8 else { return elements * spec.format.bytes }
        let depth = spec.shape[spec.shape.count + spec.fileAxis]
        return elements + elements / depth * ((depth + 31) / 32)
      }
  }

  @Test func `inputs count once, outputs with bits and a dump, taps twice`() throws {
    let inputs = try bytes(Self.one, .input).reduce(0, +)
    let outputs = try bytes(Self.one, .output).map { withBits($0) + $0 }.reduce(0, +)
    let taps = try bytes(Self.one, .intermediate).map { withBits($0) + $0 }.reduce(0, +)
    #expect(inputs > 0 && outputs > 0 && taps > 0)
    let request = try request(Self.one)
    #expect(try need(request) == 32 << 20 + inputs + outputs + taps)
    var jittered = request
    jittered.jitterRuns = 3
    let second = try bytes(Self.one, .output).map(withBits).reduce(0, +)
    #expect(try need(jittered) - need(request) == second)
    var empty = request
    empty.plan = .timing
    #expect(try need(empty) == 32 << 20)
  }

  @Test func `an updated tensor counts as input and as output, an index twice`() throws {
    let one = KernelCase("compress_epilog", ["tokens": "6", "dim": "256", "slots": "9"])
    let inputs = try bytes(one, .input, .updated).reduce(0, +)
    let outputs = try bytes(one, .updated, .output).map { withBits($0) + $0 }.reduce(0, +)
    let indices = try bytes(one, .index).map { 2 * $0 }.reduce(0, +)
    let taps = try bytes(one, .intermediate).map { withBits($0) + $0 }.reduce(0, +)
    #expect(indices > 0 && inputs > outputs / 3)
    #expect(try need(request(one)) == 32 << 20 + inputs + outputs + indices + taps)
  }

  @Test func `a program counts with its micro-ops and the memories that it uses`() throws {
    let request = try request(Self.one)
    let first = try need(request)
    let kernel = try Self.one.make(on: request.machine)
    let program = try kernel.wholeProgram(IndexTensors([:]), on: request.machine).program
    var ends: [Space: Int] = [:]
    var scales = 0
    for buffer in program.buffers where buffer.space.isOnChip {
      ends[buffer.space] = max(ends[buffer.space] ?? 0, buffer.base + buffer.payloadExtent)
      scales += withBits(buffer.scaleExtent)
    }
    #expect(ends.count == 5 && scales > 0)
    #expect(
      try need(request, limit: first) - first
        == 160 * program.opCount + scales + ends.values.map(withBits).reduce(0, +))
  }

  /// What is read in place is not copied; whether it is must not hang on the allocator.
  @Test(arguments: [
    KernelCase("swiglu", ["tokens": "3", "hidden": "96", "ffn": "130"]),
    KernelCase("softmax_v", ["kv": "70", "heads": "4", "head-dim": "40"]),
    KernelCase("gemm", ["m": "70", "n": "100", "k": "130", "operands": "bf16"]),
    KernelCase("flash_attention", ["kv": "70", "head-dim": "40", "kv-format": "e4m3fn"]),
    KernelCase("compress_epilog", ["tokens": "6", "dim": "256", "input": "f16"]),
  ])
  func `every input from a seed, and from a file, has room to be read in place`(one: KernelCase)
    throws
  {
    let names = try one.make(on: Presets.named("edge").configuration).tensors
      .filter { $0.role == .input }.flatMap { [$0.name, $0.name + ".scale"] }
    func lacking(_ set: TensorSet) -> [String] {
      names.filter { name in
        set[name].map { TensorBytes(payload: $0.storage, scales: []) == nil } ?? false
      }
    }
    let seeded = try Runner.run(request(one)).dump()
    #expect(lacking(seeded).isEmpty)
    let path = FileManager.default.temporaryDirectory
      .appendingPathComponent("room-\(UUID().uuidString).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Safetensors.write(seeded, to: path, force: false)
    #expect(try lacking(TensorArchive(path).readAll()).isEmpty)
  }

  @Test func `tensors of files that are converted count as they are, and the largest in FP32`()
    throws
  {
    let one = KernelCase("gemm", ["m": "4", "n": "8", "k": "64"])
    var request = try request(one)
    let without = try need(request)
    var set = TensorSet()
    for (name, shape) in [("input", [4, 64]), ("other", [64, 8])] {
      try set.insert(Tensor(zeros: .f64, shape: shape), named: name)
    }
    request.source = TensorSource(TensorArchive(set))
    #expect(try need(request, limit: without) - without == 8 * (4 * 64 + 64 * 8) + 12 * 64 * 8)
    request.source = nil
    var expected = TensorSet()
    try expected.insert(Tensor(zeros: .f32, shape: [4, 8]), named: "output")
    request.expect = TensorSource(TensorArchive(expected))
    #expect(try need(request, limit: without) - without == 4 * 4 * 8)
  }

  @Test func `the reference counts a right operand in BF16 with seven bytes an element`() throws {
    let one = KernelCase("gemm", ["m": "4", "n": "64", "k": "256", "operands": "bf16"])
    var request = try request(one)
    let without = try need(request)
    request.verification = .full
    #expect(try need(request) - without >= 7 * 64 * 256)
  }
}
