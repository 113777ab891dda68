import Testing

@Suite struct DatapathVariableTests {
  @Test func `the environment chooses the path, and runs stay bit-exact on each`() throws {
    let line = ["run", "gemm", "--m", "33", "--n", "70", "--k", "100"]
    for path in ["", "scalar", "portable"] {
      let result = try SimctlProcess.run(line, environment: ["NPUSIM_DATAPATH": path])
      #expect(result.status == 0, "\(path): \(result.error)")
      #expect(result.text.contains("bit-exact: all"), "\(path): \(result.text)")
    }
  }

  @Test func `a path that does not exist is an error before anything is computed`() throws {
    let result = try SimctlProcess.run(
      ["run", "gemm"], environment: ["NPUSIM_DATAPATH": "quick"])
    #expect(result.status == 2)
    #expect(result.error.contains("NPUSIM_DATAPATH: found 'quick', needed one of scalar, portable"))
  }
}
