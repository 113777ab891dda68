import Foundation
import NPUSim
import Testing

/// Operands that share bytes: what is wrong is said, and what is not said changes no word.
@Suite struct AliasTests {
  static let programs = UInt64(seededCount(3_000))
  private static let hands: UInt64 = 4

  @Test(arguments: 0..<AliasTests.hands)
  func `M007 is what the bytes say, and no timing changes a word of a clean program`(
    hand: UInt64
  ) throws {
    var clean = 0
    var inPlace = 0
    for seed in stride(from: hand, to: Self.programs, by: Int(Self.hands)) {
      guard let made = try AliasPrograms.make(seed: seed) else { continue }
      let program = made.program
      #expect(program.defects.isEmpty, "seed \(seed): \(program.defects.first?.message ?? "")")
      let findings = Checker.check(program).findings.filter { $0.severity == .error }
      let found = findings.filter { $0.code == .M007 }
      let offences = OverlapOracle(program: program).offences()
      #expect(found.reduce(0) { $0 + 1 + $1.folded } == offences.count, "seed \(seed)")
      #expect(
        Set(found.flatMap(\.sites)).isSubset(of: Set(offences.map(\.site))), "seed \(seed)")
      guard findings.isEmpty else { continue }
      clean += 1
      inPlace += Self.isInPlace(program) ? 1 : 0
      let plain = try AliasPrograms.words(made)
      for timing in 0..<UInt64(10) {
        let order = try JitterTests.order(
          program, seed: 10 * seed + timing, percent: [20, 90, 1000][Int(timing % 3)])
        let words = try AliasPrograms.words(made, order: order)
        #expect(words == plain, "seed \(seed), timing \(timing)")
      }
    }
    // Otherwise nothing was shown.
    #expect(10 * clean > Int(Self.programs / Self.hands), "\(clean)")
    #expect(50 * inPlace > Int(Self.programs / Self.hands), "\(inPlace)")
  }

  private static func isInPlace(_ program: Program) -> Bool {
    program.cores[0].contains { record in
      record.queue == .vector
        && (1..<Int(record.operandCount)).contains {
          record.isInPlace($0) && record.words[$0] == record.words[0]
        }
    }
  }

  // MARK: Paths

  /// What the clean programs leave, one line each.
  private static func digests() throws -> String {
    var lines: [String] = [DatapathPath.active.rawValue]
    for seed in 0..<programs {
      guard let made = try AliasPrograms.make(seed: seed), Checker.check(made.program).isClean
      else { continue }
      let words = try AliasPrograms.words(made)
      let hash = words.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
        ($0 ^ UInt64($1)) &* 0x100_0000_01b3
      }
      lines.append("\(seed) \(hash)")
    }
    return lines.joined(separator: "\n")
  }

  /// Forces a path, which a process decides on once, and prints the digests.
  private static func print(on path: String) throws {
    setenv(DatapathPath.variable, path, 1)
    FileHandle.standardOutput.write(Data((try digests() + "\n").utf8))
  }

  private static func lines(_ result: ExitTest.Result?) throws -> [String] {
    let text = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
    return text.split(separator: "\n").map(String.init)
  }

  @Test func `no path changes a word of a clean program`() async throws {
    let scalar = try await Self.lines(
      #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
        try AliasTests.print(on: "scalar")
      })
    #expect(scalar.first == "scalar" && scalar.count > Int(Self.programs) / 10)
    let portable = try await Self.lines(
      #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
        try AliasTests.print(on: "portable")
      })
    #expect(portable.first == "portable" && portable.dropFirst() == scalar.dropFirst())
    if DatapathPath.avx2.isAvailable {
      let words = try await Self.lines(
        #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
          try AliasTests.print(on: "avx2")
        })
      #expect(words.first == "avx2" && words.dropFirst() == scalar.dropFirst())
    }
    if DatapathPath.avx512.isAvailable {
      let words = try await Self.lines(
        #require(processExitsWith: .success, observing: [\.standardOutputContent]) {
          try AliasTests.print(on: "avx512")
        })
      #expect(words.first == "avx512" && words.dropFirst() == scalar.dropFirst())
    }
  }
}
