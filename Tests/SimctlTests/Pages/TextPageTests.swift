import Foundation
import NPUSim
import Testing

/// What the page, the JSON and the help say of a text program's parameters.
@Suite struct TextPageTests {
  private static let text = """
    .param rows = 8
    .param twice = rows * 2
    .param scale = 0.5
    .input x bf16 [twice, 64]
    .output y bf16 [twice, 64]
    .tap middle bf16 [8, 64]
    .buf a ub bf16 [8, 64]
    .loop i 0..<twice / 8
      load.ub a <- x[i * 8 +: 8, :] wait store:0 if i > 0 set vector:0
      vector.mul_scalar a <- a {b=scale} wait load:0 set store:0
      tap middle <- a
      store.hbm y[i * 8 +: 8, :] <- a wait vector:0 set load:0 if i + 1 < twice / 8
    .end

    """

  @Test func `the values of parameters are on the page and in the JSON, defaults too`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.text, "a.npu")
    for verb in ["run", "check"] {
      let plain = try SimctlProcess.run([verb, file])
      #expect(plain.status == 0, "\(plain.text)\(plain.error)")
      #expect(plain.text.contains("\nparameters rows=8 twice=16 scale=0.5\n"), "\(plain.text)")
      let given = try SimctlProcess.run(
        [verb, file, "--param", "rows=16", "--param", "scale=0.25", "--json", "-"])
      let json = try JSONValue.parse(given.output, file: "report")
      #expect(
        json["parameters"]
          == .object([
            JSONMember("rows", .integer(16)), JSONMember("twice", .integer(32)),
            JSONMember("scale", .double(0.25)),
          ]))
    }
    #expect(try !SimctlProcess.run(RunTests.small).text.contains("parameters"))
  }

  @Test func `the help of a file has its parameters and its tensors`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(Self.text, "a.npu")
    for line in [["run", file, "--help"], ["help", "run", file], ["check", "--help", file]] {
      let page = try SimctlProcess.run(line)
      #expect(page.status == 0 && page.error == "", "\(page.error)")
      #expect(page.text.contains("  rows   [8]\n") && page.text.contains("  scale  [0.5]\n"))
      for row in [
        "x       input         [16, 64]  bf16", "y       output        [16, 64]  bf16",
        "middle  intermediate  [8, 64]   bf16",
      ] {
        #expect(page.text.contains("  \(row)"), "\(page.text)")
      }
      #expect(page.text.contains("--param NAME=VALUE") && !page.text.contains("--verify"))
      #expect(!page.text.contains("--schedule"))
    }
    let other = try SimctlProcess.run(["run", file, "--param", "rows=24", "--help"])
    #expect(other.text.contains("[24]") && other.text.contains("[48, 64]"))
    let broken = try folder.write("vector.exq a <- b\n", "b.npu")
    let error = try SimctlProcess.run(["run", broken, "--help"])
    #expect(error.status == 2 && error.error.contains("b.npu:1:1"))
    #expect(try SimctlProcess.run(["run", folder("none.npu"), "--help"]).status == 2)
  }

  @Test func `param stands in the flags of run and check, and belongs to texts`() throws {
    for verb in ["run", "check"] {
      #expect(try SimctlProcess.run([verb, "--help"]).text.contains("--param NAME=VALUE"))
      let kernel = try SimctlProcess.run([verb, "softmax", "--help"]).text
      #expect(!kernel.contains("--param") && kernel.contains("--schedule"))
      let refused = try SimctlProcess.run([verb, "softmax", "--param", "rows=4"])
      #expect(refused.status == 2 && refused.error.contains("has no flag --param"))
    }
  }

  @Test func `a program without a micro-op is said to be empty`() throws {
    let folder = try ScratchFolder()
    let loop = Self.text.replacingOccurrences(of: "[twice, 64]", with: "[64, 64]")
    for (text, flags, says) in [
      ("", [], "is empty: no micro-op is left"), ("; nothing\n", [], "is empty"),
      (".input x bf16 [4, 64]\n", [], "is empty"),
      (
        loop, ["--param", "rows=0"], "is empty: no micro-op is left with rows=0, twice=0, scale=0.5"
      ),
    ] {
      let file = try folder.write(text, "a.npu")
      for verb in ["run", "check"] {
        let result = try SimctlProcess.run([verb, file] + flags)
        #expect(result.status == 2 && result.text == "", "\(result.text)")
        #expect(result.error.contains(says), "\(result.error)")
      }
    }
  }
}
