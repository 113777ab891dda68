import Foundation
import NPUSim
import Testing

/// The kernel that docs/scheduling.md develops in Swift.
@Suite struct LayerNormTests {
  static let shapes = [
    LayerNorm(), LayerNorm(rows: 1, columns: 1), LayerNorm(rows: 37, columns: 100, tile: 5),
    LayerNorm(rows: 9, columns: 333, tile: 2), LayerNorm(rows: 64, columns: 256, tile: 16),
  ]

  @Test(arguments: ["edge", "ascend-910b-like", "ascend-950-like"], shapes)
  func `it is layer norm, and clean, in the order that is found on every machine`(
    machine: String, norm: LayerNorm
  ) throws {
    let sequence = try norm.sequence(on: Presets.named(machine).configuration)
    let found = try OrderSearch.run(sequence)
    #expect(Checker.check(found.program).isClean)
    var random = SeededGenerator(seed: 1607)
    let state = MachineState(found.program)
    let (x, gain, bias) = (
      Self.draw(norm.rows * norm.columns, &random), Self.draw(norm.columns, &random),
      Self.draw(norm.columns, &random)
    )
    for (id, values) in [x, gain, bias].enumerated() {
      let words = values.map { UInt16($0.bitPattern >> 16) }
      let bytes = words.flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
      try state.fill(UInt32(id), bytes: bytes, scales: [])
    }
    _ = try FunctionalEngine.run(found.program, state: state)
    let bytes = state.readTensor(3).payload
    for row in 0..<norm.rows {
      let own = x[row * norm.columns..<(row + 1) * norm.columns].map(Double.init)
      let exact = Self.rows(own, gain, bias, eps: Double(norm.eps))
      for (column, (value, slack)) in exact.enumerated() {
        let place = 2 * (row * norm.columns + column)
        let word = UInt32(bytes[place]) | UInt32(bytes[place + 1]) << 8
        let made = Double(Float(bitPattern: word << 16))
        // Half a unit of BF16, which has 8 bits, beside what the FP32 before it is off.
        #expect(abs(made - value) <= slack + (abs(value) + slack) * 0x1p-8, "\(row), \(column)")
      }
    }
  }

  @Test func `it reaches 95 % of what is attainable on edge`() throws {
    let sequence = try LayerNorm().sequence(on: Presets.named("edge").configuration)
    let found = try OrderSearch.run(sequence)
    let bounds = try Bounds.of(found.program)
    #expect(100 * bounds.attainable >= 95 * (try #require(found.cycles)))
  }

  @Test func `the page shows it as it is tested here, in less than 60 lines`() throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent()
    let source = try String(contentsOf: folder.appending(path: "LayerNorm.swift"), encoding: .utf8)
    var root = folder
    for _ in 0..<3 { root.deleteLastPathComponent() }
    let page = try String(contentsOf: root.appending(path: "docs/scheduling.md"), encoding: .utf8)
    #expect(page.contains("```swift\n\(source)```\n"))
    #expect(source.split(separator: "\n", omittingEmptySubsequences: false).count - 1 < 60)
  }

  /// Values that BF16 has, from −2 to 2.
  private static func draw(_ count: Int, _ random: inout SeededGenerator) -> [Float] {
    (0..<count).map { _ in Float(Int(random.below(257)) - 128) / 64 }
  }

  /// Each exact value, and by how much the FP32 before the last rounding may be off.
  ///
  /// A sum of n terms in any order is off by at most (n − 1)·u of the sum of magnitudes, a result of one
  /// operation by u of itself, rsqrt by 2u; u = 2⁻²⁴. With the mean off by δ, each centred value is off
  /// by δ + u·|c|, and the root of the mean square of the centred values by δ + (n + 6)·u of itself.
  private static func rows(
    _ x: [Double], _ gain: [Float], _ bias: [Float], eps: Double
  ) -> [(value: Double, slack: Double)] {
    let (n, u) = (Double(x.count), 0x1p-24)
    let mean = x.reduce(0, +) / n
    let square = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n
    let scale = 1 / (square + eps).squareRoot()
    let delta = (n + 1) * u * x.reduce(0) { $0 + abs($1) } / n
    let relative = delta * scale + (n + 6) * u
    return x.indices.map { i in
      let (g, b) = (Double(gain[i]), Double(bias[i]))
      let product = (x[i] - mean) * scale * g
      let slack = abs(product) * (relative + 4 * u) + delta * scale * abs(g) + 2 * u * abs(b)
      // A hundredth for products of two small errors.
      return (product + b, 1.01 * slack)
    }
  }
}
