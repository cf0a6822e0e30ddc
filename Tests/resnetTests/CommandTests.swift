import ResidualLearning
import Testing

@testable import resnet

@Suite struct CommandTests {
  @Test func everyOptionOfEveryCommandIsInItsHelpWithItsDefault() {
    for command in Command.all {
      // Line breaks and indents away, so that an entry is one text.
      let help = command.helpText.split { $0 == " " || $0 == "\n" }.joined(separator: " ")
      for option in command.options + command.positionals {
        let entry = [option.name, option.name.hasPrefix("--") ? option.placeholder : "", option.explanation]
        #expect(help.contains(entry.filter { !$0.isEmpty }.joined(separator: " ")), "\(command.name) \(option.name)")
        if let text = option.defaultText { #expect(option.explanation.hasSuffix("(default: \(text))")) }
      }
    }
    #expect(Command.train.helpText.contains("--batch N             images per step (default: 128)"))
    #expect(Command.predict.helpText.contains("usage: resnet predict IMAGE... [options]"))
    #expect(Command.bench.helpText.contains("usage: resnet bench [MODE] [options]"))
  }

  @Test func helpFitsEightyColumnsAndListsEveryCommand() {
    for text in [Command.overview] + Command.all.map(\.helpText) {
      #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 && $0.last != " " }, "\(text)")
    }
    for command in Command.all { #expect(Command.overview.contains("\n  \(command.name) ")) }
  }

  @Test func namesOfCommandsAndOptionsAreUnique() {
    #expect(Set(Command.all.map(\.name)).count == Command.all.count)
    for command in Command.all {
      let names = (command.options + command.positionals).map(\.name)
      #expect(Set(names).count == names.count)
    }
  }

  @Test func aWrongCommandLineHasStatusTwo() {
    #expect(Command.main(["nothing"]) == 2)
    #expect(Command.main(["train", "--batch", "0"]) == 2)
    #expect(Command.main(["help", "nothing"]) == 2)
  }

  @Test func anErrorsKindDecidesTheStatus() {
    func status(_ error: any Error) -> Int32 { Command.status(of: error, command: "train") }
    #expect(status(InputError("no such folder")) == 1)
    #expect(status(CommandLineError("--epochs and --iterations exclude each other")) == 2)
    #expect(status(Divergence(iteration: 3, loss: .nan, place: "parameter stem.conv.weight")) == 1)
    #expect(status(Stopped(signal: 2)) == 130)
    #expect(status(Stopped(signal: 15)) == 143)
  }
}
