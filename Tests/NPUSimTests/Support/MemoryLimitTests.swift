import NPUSim
import Testing

@Suite struct MemoryLimitTests {
  @Test(arguments: [
    ("1", 1), ("4096B", 4096), ("2GB", 2_000_000_000), ("2gib", 2 << 30), ("512MiB", 512 << 20),
    ("3kb", 3_000), ("1TB", 1_000_000_000_000), ("7KiB", 7 << 10),
  ])
  func `a limit is a whole number of bytes or of a unit`(_ text: String, _ bytes: Int) throws {
    #expect(try MemoryLimit(parsing: text).bytes == bytes)
  }

  @Test(arguments: ["", "0", "GB", "1.5GB", "-2", "2 GB", "1XB", "9223372036854775807KB"])
  func `anything else is refused`(_ text: String) {
    #expect(throws: NPUError.self) { try MemoryLimit(parsing: text) }
  }

  @Test func `a need stops at the largest number instead of overflowing`() throws {
    var need = MemoryNeed()
    need.add("a", 10, times: 100)
    need.add("b", 24)
    try need.require(MemoryLimit(bytes: 1024))
    #expect(need.bytes == 1024)
    need.add("a", .max, times: 2)
    need.add("b", .max)
    #expect(need.bytes == .max)
    let error = #expect(throws: NPUError.self) { try need.require(MemoryLimit(bytes: 1 << 40)) }
    #expect(error?.category == .limit)
    #expect(error?.message.contains("the limit is \(1 << 40): a \(Int.max), b \(Int.max)") == true)
  }

  @Test func `the process may have some memory, and not all of it`() {
    let limit = MemoryLimit.ofProcess()
    #expect(limit.bytes > 1 << 20)
    #expect(limit.bytes < Int.max / 4 * 3)
  }
}
