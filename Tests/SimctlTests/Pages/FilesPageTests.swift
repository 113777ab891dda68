import Foundation
import NPUSim
import Testing

/// The code on docs/files.md.
@Suite struct FilesPageTests {
  /// Whether there is a Python with NumPy to run it; without one the test is reported as skipped, not
  /// run.
  static let hasNumPy: Bool = {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "-c", "import numpy"]
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
  }()

  /// The page of this clone.
  private func page() throws -> String {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    return String(
      decoding: try FileReader.contents(of: root.joined(separator: "/") + "/docs/files.md"),
      as: UTF8.self)
  }

  @Test(.enabled(if: hasNumPy, "not run: python3 with NumPy is needed"))
  func `the decoder of the page gives the values of MXINT8 pairs on either axis`() throws {
    let parts = try page().components(separatedBy: "```python\n")
    try #require(parts.count == 2)
    let decoder = try #require(parts[1].components(separatedBy: "```").first)
    #expect(decoder.split(separator: "\n").count == 6)
    let folder = try ScratchFolder()
    let run = "run softmax_v --kv 72 --heads 2 --head-dim 40 --dump dump --force"
    #expect(try SimctlProcess.run(run, in: folder.path).status == 0)
    var dump = try TensorSet.read(folder("dump"))
    // A block that is NaN throughout, and the last one short.
    var scale = try #require(dump["softmaxed_v.v.scale"])
    scale.withUnsafeMutableBytes { $0[7] = 255 }
    var damaged = TensorSet()
    damaged.metadata = dump.metadata
    for name in dump.names {
      let tensor = try #require(dump[name])
      try damaged.insert(name == "softmaxed_v.v.scale" ? scale : tensor, named: name)
    }
    dump = damaged
    try dump.write(folder("dump"), force: true)
    let names = ["softmaxed_v.v", "softmaxed_v.exp_mxint8"]
    for name in names {
      let values = try dump.mxTensor(named: name).floats().map(Double.init)
      let bytes = values.withUnsafeBytes { Array($0) }
      _ = try folder.write(bytes, "\(name).f8")
    }
    #expect(try dump.mxTensor(named: names[0]).axis == 2)
    #expect(try dump.mxTensor(named: names[1]).axis == 3)
    let script =
      decoder + """
        for name in ["\(names[0])", "\(names[1])"]:
          needed = np.fromfile(f"{name}.f8")
          found = mxint8("dump", name).ravel()
          assert np.array_equal(found, needed, equal_nan=True), name
        assert np.isnan(mxint8("dump", "\(names[0])")).any()
        print("equal")
        """
    _ = try folder.write(script, "decode.py")
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3", "decode.py"]
    process.currentDirectoryURL = URL(filePath: folder.path)
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    #expect(process.terminationStatus == 0 && output == "equal\n", "\(output)")
  }

  @Test func `the page names every type that is read, as files spell it`() throws {
    let page = try page()
    for dtype in DType.allCases { #expect(page.contains("`\(dtype.rawValue)`"), "\(dtype)") }
  }
}
