import NPUSim
import Testing

@Suite struct SeededInputTests {
  @Test func `elements are those of an independent implementation`() throws {
    let golden = try JSONValue.parse(GoldenTensors.bytes("seeded.json"), file: "seeded.json")
    let cases = try #require(golden["cases"]).elements
    #expect(cases.count == 40)
    for item in cases {
      let reader = try JSONObjectReader(item, keys: ["seed", "name", "first", "word", "bf16"])
      let seed = try #require(try reader.number("seed").unsigned)
      let first = try reader.int("first")
      let input = try SeededInput(seed: seed, name: reader.string("name"))
      #expect(try input.word(first) == reader.number("word").unsigned)
      let bytes = try GoldenTensors.hex(reader.string("bf16"))
      let words = stride(from: 0, to: bytes.count, by: 2).map {
        UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
      }
      var filled = [UInt16](repeating: 0, count: words.count)
      filled.withUnsafeMutableBufferPointer { input.fill($0, from: first) }
      #expect(filled == words)
      #expect(words.indices.map { input.element(first + $0).bits } == words)
    }
  }

  @Test func `a million elements have the golden checksum`() throws {
    let golden = try JSONValue.parse(GoldenTensors.bytes("seeded.json"), file: "seeded.json")
    let bulk = try JSONObjectReader(#require(golden["bulk"]), keys: ["count", "checksum"])
    let tensor = try SeededInput(seed: 0, name: "bulk").tensor(shape: [bulk.int("count")])
    let words = try tensor.words(as: UInt16.self)
    var checksum: UInt64 = 0
    for (index, word) in words.enumerated() { checksum &+= UInt64(word) &* UInt64(index + 1) }
    #expect(try bulk.number("checksum").unsigned == checksum)
  }

  @Test func `elements are in range, never minus zero, and differ by name and seed`() throws {
    let values = try SeededInput(seed: 3, name: "x").tensor(shape: [100, 1000]).floats()
    #expect(values.allSatisfy { $0 >= -2 && $0 <= 2 && $0.bitPattern != 0x8000_0000 })
    let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
    #expect(abs(mean) < 0.02)
    #expect(try SeededInput(seed: 4, name: "x").tensor(shape: [100, 1000]).floats() != values)
    #expect(try SeededInput(seed: 3, name: "y").tensor(shape: [100, 1000]).floats() != values)
    let input = SeededInput(seed: 3, name: "x")
    #expect((0..<1000).allSatisfy { input.unit($0) >= 0 && input.unit($0) < 1 })
    #expect(SeededInput.generatorVersion == 1)
    #expect(try input.tensor(shape: [0]).elementCount == 0)
    #expect(tensorFailure { _ = try input.tensor(shape: [-1]) } != nil)
  }
}
