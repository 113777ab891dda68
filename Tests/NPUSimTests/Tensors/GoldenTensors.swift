import NPUSim
import Testing

/// The tensor files written by Tests/Golden/generate_tensors.py.
enum GoldenTensors {
  /// A file of Tests/Golden/tensors.
  static func path(_ name: String, source: String = #filePath) -> String {
    // …/Tests/NPUSimTests/Tensors/GoldenTensors.swift
    let tests = source.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return tests.joined(separator: "/") + "/Golden/tensors/\(name)"
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    try FileReader.contents(of: path(name))
  }

  /// The tensor that the description file gives a name, and its values as FP32 words.
  static func described(_ name: String) throws -> (tensor: Tensor, floats: [UInt32]) {
    let all = try JSONValue.parse(bytes("tensors.json"), file: "tensors.json")
    let reader = try JSONObjectReader(
      #require(all[name]), keys: ["dtype", "shape", "bytes", "floats"])
    var shape: [Int] = []
    for dimension in try reader.array("shape") { shape.append(try dimension.requireInt("shape")) }
    let tensor = try Tensor(
      dtype: reader.choice("dtype"), shape: shape, storage: hex(reader.string("bytes")))
    let words = try hex(reader.string("floats"))
    let floats = stride(from: 0, to: words.count, by: 4).map { start in
      words[start..<(start + 4)].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    }
    return (tensor, floats)
  }

  static func hex(_ text: String) throws -> [UInt8] {
    let digits = try text.map { try #require($0.hexDigitValue) }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

/// The error of a body that must fail.
func tensorFailure(_ body: () throws -> Void) -> NPUError? {
  do {
    try body()
    return nil
  } catch { return error as? NPUError }
}
