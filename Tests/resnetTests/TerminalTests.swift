import ResidualKernels
import Testing

@testable import resnet

@Suite struct TerminalTests {
  @Test func theResultForProgramsSaysWhichBitsItHas() {
    let ours = JSONValue.string(Kernels.fusesMultiplyAdd ? "fused" : "separate")
    #expect(Output.withArithmetic(["a": 1]) == ["a": 1, "arithmetic": ours])
    #expect(Output.withArithmetic(["arithmetic": "mixed", "a": 1]) == ["arithmetic": "mixed", "a": 1])
  }

  @Test func aProgressLineTellsSpeedAndTimeLeft() {
    let progress = ProgressLine(total: 45_000, unit: "images", at: 100)
    #expect(
      progress.text(12_800, "epoch 3/12  loss 1.234", at: 110)
        == "12,800/45,000  1,280 images/s  25 s left  epoch 3/12  loss 1.234")
    #expect(progress.text(0, "", at: 100) == "0/45,000")
  }

  @Test func aTaskThatGoesOnCountsItsSpeedFromThere() {
    let progress = ProgressLine(total: 1000, unit: "steps", done: 900, at: 0)
    #expect(progress.text(950, "", at: 5) == "950/1,000  10.0 steps/s  5.0 s left")
  }

  @Test func theSpeedIsThatSinceTheStartNotSinceTheLastLine() {
    var progress = ProgressLine(total: 1000, unit: "steps", at: 0)
    let isDue = progress.isDue(100, at: 20, isTerminal: false)
    #expect(isDue && progress.text(300, "", at: 30) == "300/1,000  10.0 steps/s  1 m 10 s left")
  }

  @Test func aTerminalIsRedrawnTenTimesASecondAndAtTheEnd() {
    var progress = ProgressLine(total: 1000, unit: "images", at: 0)
    let due = stride(from: 1, through: 99, by: 1).filter { progress.isDue($0, at: Double($0) / 64, isTerminal: true) }
    #expect(due == [7, 14, 21, 28, 35, 42, 49, 56, 63, 70, 77, 84, 91, 98])
    let isDueAtTheEnd = progress.isDue(1000, at: 99.0 / 64, isTerminal: true)
    #expect(isDueAtTheEnd)
  }

  @Test func aFileGetsALineAtEveryTenthOrTenSeconds() {
    var fast = ProgressLine(total: 100, unit: "images", at: 0)
    #expect(
      (1...100).filter { fast.isDue($0, at: Double($0) / 100, isTerminal: false) } == Array(1...10).map { $0 * 10 })
    var slow = ProgressLine(total: 1000, unit: "images", at: 0)
    #expect((1...35).filter { slow.isDue($0, at: Double($0), isTerminal: false) } == [10, 20, 30])
  }
}
