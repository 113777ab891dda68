import NPUSim
import Testing

@Suite struct NumericsVerbTests {
  /// The cells of the row of a format.
  private func row(_ line: String, _ first: String) throws -> [Substring] {
    let result = try SimctlProcess.run("numerics \(line)")
    #expect(result.status == 0, "\(result.error)")
    let rows = result.text.split(separator: "\n").map { $0.split(separator: " ") }
    return try #require(rows.first { $0.first.map(String.init) == first })
  }

  // Words and values by the definitions of the formats, worked out by hand.
  @Test(arguments: [
    ("0.1", "f32", "0x3dcccccd", "0.10000000149011612"),
    ("0.1", "bf16", "0x3dcd", "0.10009765625"),
    ("0.1", "f16", "0x2e66", "0.0999755859375"),
    ("0.1", "e4m3fn", "0x1d", "0.1015625"),
    ("0.1", "e5m2", "0x2e", "0.09375"),
    ("0.1", "e8m0", "0x7b", "0.0625"),
    ("-448", "e4m3fn", "0xfe", "-448"),
    ("500", "e4m3fn", "0x7f", "nan"),
    ("500 --saturate", "e4m3fn", "0x7e", "448"),
    ("inf", "e5m2", "0x7c", "inf"),
    ("-inf --saturate", "e5m2", "0xfb", "-57344"),
    ("nan", "bf16", "0x7fc0", "nan"),
    ("0x3dcc --from bf16", "bf16", "0x3dcc", "0.099609375"),
    ("0xff --from e8m0", "e8m0", "0xff", "nan"),
    ("65520", "f16", "0x7c00", "inf"),
  ])
  func `a value has this word in this format`(
    _ line: String, _ format: String, _ word: String, _ value: String
  ) throws {
    let cells = try row(line, format)
    #expect(cells[1] == word)
    #expect(cells[2] == value)
  }

  @Test func `several values share the scale of an MXINT8 block`() throws {
    let result = try SimctlProcess.run("numerics 1 0.0078125 0.0234375 -0.5 0.99609375 --as mxint8")
    #expect(result.text.contains("scale 0x7f, 2^0; 5 values"))
    let payloads = result.text.split(separator: "\n").dropFirst(2).map {
      $0.split(separator: " ")[1]
    }
    #expect(payloads == ["64", "0", "2", "-32", "64"])
  }

  @Test func `special cases are named`() throws {
    func notes(_ line: String) throws -> String { try SimctlProcess.run("numerics \(line)").text }
    #expect(try notes("500 --as e4m3fn").contains("overflow: no infinity"))
    #expect(try notes("500 --as e4m3fn").contains("saturating 0x7e"))
    #expect(try notes("1e-9 --as e5m2").contains("underflow to zero"))
    #expect(try notes("1e-7 --as f16").contains("subnormal"))
    #expect(try notes("1.0625 --as e4m3fn").contains("tie, to even"))
    #expect(try notes("1 --as bf16").contains("exact"))
    #expect(try notes("nan --as mxint8").contains("NaN"))
  }

  @Test func `the JSON has the words of the text`() throws {
    let result = try SimctlProcess.run("numerics 0.1 --as bf16,mxint8 --json")
    let json = try JSONValue.parse(result.output, file: "numerics")
    let value = try #require(json["values"]?.elements.first)
    #expect(value["formats"]?["bf16"]?["word"] == .string("0x3dcd"))
    #expect(json["mxint8"]?.elements.first?["payload"]?.elements == [.integer(102)])
  }
}
