import Foundation
import Testing

/// asm, disasm, fmt, and run and check of text programs.
@Suite struct TextVerbTests {
  private let good = """
    .param n = 2
    .input x bf16 [n * 4, 64]
    .output y bf16 [n * 4, 64]

    .buf a ub bf16 [4, 64] {slots=2}

    .loop i 0..<n
      produce a
        load.ub a <- x[i * 4 +: 4, :]
      .end
      consume a
        store.hbm y[i * 4 +: 4, :] <- a
      .end
    .end

    """

  @Test func `asm reports sizes, and expand shows a ring's events`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(good, "copy.npu")
    let sizes = try SimctlProcess.run(["asm", file, "--param", "n=3"])
    #expect(sizes.status == 0 && sizes.error == "")
    #expect(sizes.text.contains("14 lines, 14 micro-ops, 1 core"))
    let expanded = try SimctlProcess.run(["asm", file, "--expand", "--unrolled"])
    #expect(expanded.text.contains("set load->store:1\nwait load->store:1\n"))
    let again = try folder.write(expanded.text, "again.npu")
    #expect(try SimctlProcess.run(["asm", again, "--expand", "--unrolled"]).text == expanded.text)
  }

  @Test func `run executes a text, takes tensors, and compares`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(good, "copy.npu")
    let dump = folder("dump.safetensors")
    let first = try SimctlProcess.run(["run", file, "--dump", dump])
    #expect(first.status == 0, "\(first.error)")
    #expect(first.text.contains("for the program's own work"))
    let same = try SimctlProcess.run(["run", file, "--inputs", dump, "--expect", dump])
    #expect(same.status == 0 && same.text.contains("equal; 512 words of 1 tensor compared"))
    let other = try SimctlProcess.run(["run", file, "--seed", "1", "--expect", dump])
    #expect(other.status == 1)
    let shape = try SimctlProcess.run(["run", file, "--param", "n=3", "--inputs", dump])
    #expect(shape.status == 2 && shape.error.contains("x has shape [8, 64], needed [12, 64]"))
    let pipe = try SimctlProcess.run(["run", "-", "--json", "-"], input: good)
    #expect(pipe.status == 0 && pipe.text.contains("\"roofline_of_program\": true"))
  }

  @Test func `check points at lines and turns of loops`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(
      """
      .input x bf16 [8, 64]
      .buf a ub bf16 [4, 64]
      .buf b ub bf16 [4, 64]
      .loop i 0..<2
        load.ub a <- x[i * 4 +: 4, :]
        vector.exp b <- a
      .end

      """, "race.npu")
    let result = try SimctlProcess.run(["check", file])
    #expect(result.status == 1)
    #expect(result.text.contains("error[H001]"))
    #expect(
      result.text.contains(
        "at \(file):5:3 (i = 0)\n     | load.ub a <- x[i * 4 +: 4, :]\n     #0 load.ub"))
    #expect(
      result.text.contains("at \(file):6:3 (i = 0)\n     | vector.exp b <- a\n     #1 vector.exp"))
    #expect(
      result.text.contains(
        "at \(file):5:3 (i = 1)\n     | load.ub a <- x[i * 4 +: 4, :]\n     #2 load.ub"))
    let json = try SimctlProcess.run(["check", file, "--json", "-"])
    #expect(json.text.contains("\"line\": 5") && json.text.contains("\"iterations\": \"i = 1\""))
  }

  @Test func `errors are shown with their lines, all of them`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write("vector.exq a <- b\n.loop i 0..<n\n.end\n", "bad.npu")
    for verb in ["asm", "run", "check"] {
      let result = try SimctlProcess.run([verb, file])
      #expect(result.status == 2 && result.text == "")
      #expect(
        result.error == """
          error: there is no micro-op 'vector.exq'
           --> \(file):1:1
            |
          1 | vector.exq a <- b
            | ^^^^^^^^^^
            = help: did you mean vector.exp?
          error: there is no parameter or loop variable 'n'
           --> \(file):2:13
            |
          2 | .loop i 0..<n
            |             ^
            = help: known: core, cores, lanes

          """)
    }
    let loop = try folder.write(".loop i 0..<1000000000\nbarrier vector\n.end\n", "loop.npu")
    let limit = try SimctlProcess.run(["asm", loop])
    #expect(limit.status == 3 && limit.error.contains("the limit is"))
    #expect(try SimctlProcess.run(["asm", folder("none.npu")]).status == 2)
    #expect(try SimctlProcess.run(["asm"]).status == 2)
    #expect(try SimctlProcess.run(["run", file, "--schedule", "a=1"]).status == 2)
    #expect(try SimctlProcess.run(["run", file, "--verify", "full"]).status == 2)
    #expect(try SimctlProcess.run(["run", file, "--param", "n"]).error.contains("--param kv=256"))
  }

  @Test func `what does not fit is shown at the buffer's declaration`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(
      """
      .input x bf16 [8, 64]
      .buf small ub bf16 [8, 64]
      .buf large ub bf16 [40000, 64]
      load.ub small <- x

      """, "large.npu")
    let asm = try SimctlProcess.run(["asm", file])
    #expect(asm.status == 1)
    #expect(asm.error.hasPrefix("error: ub holds 131072 bytes, but its buffers need 5121024: "))
    #expect(asm.error.contains("--> \(file):3:6\n"))
    #expect(asm.error.contains("help: use smaller tiles or fewer stages"))
    let check = try SimctlProcess.run(["check", file])
    #expect(check.status == 1)
    #expect(
      check.text.contains(
        "  at \(file):3:6\n     | .buf large ub bf16 [40000, 64]\n     large\n"))
  }

  @Test func `a micro-op that does not fit is shown at its line`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(
      """
      .input x bf16 [8, 64]
      .buf a ub bf16 [4, 64]
      .loop i 0..<2
        load.ub a <- x
      .end

      """, "shape.npu")
    let asm = try SimctlProcess.run(["asm", file])
    #expect(asm.status == 1)
    #expect(asm.error.contains("source, x[0 +: 8, 0 +: 64], is 8 × 64, needed 4 × 64"))
    #expect(asm.error.contains("--> \(file):4:3\n"))
  }

  @Test func `disasm prints a kernel that runs as text to the same values and cycles`() throws {
    let folder = try ScratchFolder()
    let dump = folder("dump.safetensors")
    let kernel = try SimctlProcess.run(["run", "softmax_v", "--kv", "64", "--dump", dump])
    let text = try SimctlProcess.run(["disasm", "softmax_v", "--kv", "64"])
    #expect(text.status == 0 && text.text.hasPrefix("; softmax_v: kv 64"))
    let file = try folder.write(text.text, "softmax_v.npu")
    let run = try SimctlProcess.run(["run", file, "--inputs", dump, "--expect", dump])
    #expect(run.status == 0, "\(run.error)")
    #expect(run.text.contains("words of 6 tensors"))
    func cycles(_ text: String) -> Substring? {
      text.split(separator: "\n").first { $0.hasPrefix("cycles") }?.prefix(20)
    }
    #expect(cycles(run.text) != nil && cycles(run.text) == cycles(kernel.text))
    let flat = try SimctlProcess.run(["disasm", "softmax_v", "--kv", "64", "--unrolled"])
    #expect(!flat.text.contains(".loop"))
  }

  @Test func `fmt prints, checks and rewrites`() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(".param  n=1 ;x\n", "a.npu")
    #expect(try SimctlProcess.run(["fmt", file]).text == ".param n = 1  ; x\n")
    let check = try SimctlProcess.run(["fmt", "--check", file])
    #expect(check.status == 1 && check.text == "\(file)\n")
    #expect(try SimctlProcess.run(["fmt", "--in-place", file]).status == 0)
    #expect(try folder.read("a.npu") == Array(".param n = 1  ; x\n".utf8))
    #expect(try SimctlProcess.run(["fmt", "--check", file]).status == 0)
    #expect(try SimctlProcess.run(["fmt", "-"], input: " .end").status == 2)
    #expect(try SimctlProcess.run(["fmt", "--check", "--in-place", file]).status == 2)
  }

  @Test func `a mistake in every turn of a loop is not shown in all of them`() throws {
    let scratch = try ScratchFolder()
    let file = scratch("many.npu")
    let text = """
      .buf a ub bf16 [4, 64]
      .loop i 0..<100: vector.fill a[i + 1] {value=0.0}

      """
    try text.write(toFile: file, atomically: true, encoding: .utf8)
    let result = try SimctlProcess.run(["asm", file])
    #expect(result.status == 1)
    #expect(result.error.components(separatedBy: "error: ").count == 2, "\(result.error)")
    #expect(result.error.contains("slot 1 of 1 of a"))
  }
}
