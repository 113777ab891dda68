import Testing

/// Programs whose results lie over their own operands, as users write and run them.
@Suite struct OperandOverlapRunTests {
  /// Each with the words of its finding.
  private static let cases: [(name: String, text: String, finding: String)] = [
    (
      "alias-transpose",
      """
      .input x bf16 [16, 16]
      .output y bf16 [16, 16]
      .buf a ub bf16 [16, 16]
      load.ub a <- x set vector:0
      wait load->vector:0
      vector.transpose a <- a
      set vector->store:0
      wait vector->store:0
      store.hbm y <- a
      """,
      "vector.transpose has a[0 +: 16, 0 +: 16] as result and a[0 +: 16, 0 +: 16] as a, which share 512"
    ),
    (
      "alias-shift",
      """
      .input x bf16 [16, 16]
      .output y bf16 [16, 16]
      .buf a ub bf16 [16, 16]
      load.ub a <- x set vector:0
      wait load->vector:0
      vector.copy a[4 +: 8, :] <- a[0 +: 8, :]
      set vector->store:0
      wait vector->store:0
      store.hbm y <- a
      """,
      "vector.copy has a[4 +: 8, 0 +: 16] as result and a[0 +: 8, 0 +: 16] as a, which share 128 bytes"
    ),
    (
      "overlap-exp",
      """
      .input x bf16 [1, 256]
      .output y bf16 [1, 256]
      .buf a ub bf16 [1, 256]
      load.ub a <- x
      barrier_all
      vector.exp a[:, 16 +: 240] <- a[:, 0 +: 240]
      barrier_all
      store.hbm y <- a
      """, "vector.exp has a[0 +: 1, 16 +: 240] as result and a[0 +: 1, 0 +: 240] as a, which share"
    ),
    (
      "residual-add-one-address",
      """
      .input x bf16 [6, 300]
      .input residual bf16 [6, 300]
      .output out bf16 [6, 300]
      .buf x ub bf16 [6, 300] {slots=3}
      .buf residual ub bf16 [6, 300] {slots=3}
      .buf out ub bf16 [6, 300] {slots=3, at=32}
      load.ub x[0] <- x
      load.ub residual[0] <- residual set vector:0
      vector.add out[0] <- x[0], residual[0] wait load:0 set store:0
      store.hbm out <- out[0] wait vector:0
      """, "place out (bytes 32 to 10975) and x (bytes 0 to 10943) apart"
    ),
    (
      "two-destinations",
      """
      .input x bf16 [4, 256]
      .output y e4m3fn [4, 256]
      .output s f32 [4, 2]
      .buf a ub bf16 [4, 256] {at=0}
      .buf c ub e4m3fn [4, 256] {at=8192}
      .buf sc ub f32 [4, 2] {at=8192}
      load.ub a <- x
      barrier_all
      vector.encode_fp8 c, sc <- a {round_scale=no}
      barrier_all
      store.hbm s <- sc
      """,
      "vector.encode_fp8 has c[0 +: 4, 0 +: 256] as codes and sc[0 +: 4, 0 +: 2] as scales, which share"
    ),
  ]

  @Test(arguments: OperandOverlapRunTests.cases.indices)
  func `a result over its own operands is M007 at its line`(index: Int) throws {
    let (name, text, finding) = Self.cases[index]
    let folder = try ScratchFolder()
    let file = try folder.write(text, "\(name).npu")
    for verb in ["check", "run"] {
      let result = try SimctlProcess.run([verb, file])
      #expect(result.status == 1, "\(name): \(result.text)\(result.error)")
      #expect(result.text.contains("error[M007] operands share bytes: "), "\(result.text)")
      #expect(result.text.contains(finding), "\(name): \(result.text)")
      #expect(result.text.contains("\(name).npu:"), "\(result.text)")
    }
  }

  @Test func `explain says what M007 means`() throws {
    let result = try SimctlProcess.run("explain M007")
    #expect(result.status == 0 && result.text.contains("vector.transpose"))
  }

  @Test func `in place is right where it is element by element`() throws {
    let text = """
      .input x bf16 [16, 16]
      .output y bf16 [16, 16]
      .buf a ub bf16 [16, 16]
      .buf b ub bf16 [16, 16] {at=0}
      load.ub a <- x
      barrier_all
      vector.exp a <- a
      vector.add b <- a, a
      barrier_all
      store.hbm y <- b
      """
    let result = try SimctlProcess.run(["check", "-"], input: text)
    #expect(result.status == 0, "\(result.text)")
  }
}
