// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "npusim",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "NPUSim", targets: ["NPUSim"]),
    .library(name: "NPUKernels", targets: ["NPUKernels"]),
    .executable(name: "simctl", targets: ["simctl"]),
  ],
  targets: [
    .target(name: "CDatapath"),
    .target(
      name: "NPUSim",
      dependencies: ["CDatapath"],
      // Rounding instructions the baseline instruction set lacks are calls into libm.
      linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(name: "NPUKernels", dependencies: ["NPUSim"]),
    .executableTarget(name: "simctl", dependencies: ["NPUSim", "NPUKernels"]),
    .testTarget(name: "NPUSimTests", dependencies: ["NPUSim"]),
    .testTarget(name: "NPUKernelsTests", dependencies: ["NPUSim", "NPUKernels"]),
    .testTarget(
      name: "SimctlTests", dependencies: ["simctl", "NPUSim", "NPUKernels"], exclude: ["Cases"]),
  ],
  swiftLanguageModes: [.v6]
)
