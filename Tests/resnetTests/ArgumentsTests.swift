import Testing

@testable import resnet

@Suite struct ArgumentsTests {
  private func arguments(_ line: String) throws -> Arguments {
    try Command.parse(line.split(separator: " ").map(String.init)).arguments
  }

  private func message(_ line: String) -> String? {
    #expect(throws: CommandLineError.self) { try arguments(line) }?.message
  }

  @Test func valuesFollowTheNameOrAnEqualsSign() throws {
    let given = try arguments("train --batch 64 --rate=0.05 --network plain20 --json --shortcut B --seed 7")
    #expect(given[.batch] == 64)
    #expect(given[.rate] == 0.05)
    #expect(given[.network] == "plain20")
    #expect(given[.shortcut] == .b)
    #expect(given[.seed] == 7)
    #expect(given[.json])
    #expect(given.isGiven(.batch))
    #expect(!given.isGiven(.momentum))
  }

  @Test func whatIsNotGivenHasItsDefault() throws {
    let given = try arguments("train")
    #expect(given[.batch] == 128)
    #expect(given[.epochs] == nil)
    #expect(given[.network] == "resnet14")
    #expect(given[.recipe] == .scaled)
    #expect(!given[.json])
    #expect(try arguments("evaluate")[.weights] == [])
  }

  @Test func aCommandMayHaveADefaultOfItsOwn() throws {
    let own = Command(name: "own", summary: "", description: "", options: [.batch.with(default: 8), .epochs]) { _ in }
    #expect(try Arguments([], of: own)[.batch] == 8)
    #expect(try Arguments(["--batch", "9"], of: own)[.batch] == 9)
    #expect(own.helpText.contains("(default: 8)"))
    #expect(try arguments("train")[.batch] == 128)
    let words = Command(
      name: "words", summary: "", description: "", options: [.zeros.with(absent: "as it says", help: "the zeros")]
    ) { _ in }
    #expect(words.helpText.contains("the zeros (default: as it says)"))
    let given = try Arguments([], of: words)
    #expect(given.given(.zeros) == nil && given[.zeros] == .after)
    #expect(try Arguments(["--zeros", "around"], of: words).given(.zeros) == .around)
  }

  @Test func listsRepeatedOptionsAndChoicesAreRead() throws {
    let views = Command(
      name: "views", summary: "", description: "", options: [.weights, .scales, .crops, .normalization]
    ) { _ in }
    let line = "--weights A --scales 224,256 --weights=B=C --crops 10 --normalization per-pixel"
    let given = try Arguments(line.split(separator: " ").map(String.init), of: views)
    #expect(given[.weights] == ["A", "B=C"])
    #expect(given[.scales] == [224, 256])
    #expect(given[.crops] == 10)
    #expect(given[.normalization] == .perPixel)
  }

  @Test func positionalArgumentsStandAnywhere() throws {
    #expect(try arguments("summary resnet20 --json")[.networkName] == "resnet20")
    #expect(try arguments("summary --all")[.networkName] == nil)
    #expect(try arguments("predict a.png --weights F b.png -- --json")[.images] == ["a.png", "b.png", "--json"])
    #expect(try arguments("bench")[.mode] == .train)
    #expect(try arguments("bench kernels")[.mode] == .kernels)
  }

  @Test func aNameOfTwoWordsIsACommand() throws {
    let (command, given) = try Command.parse(["detect", "train", "--iterations", "7"])
    #expect(command.name == "detect train" && given[.iterations] == 7)
    for line in ["help detect train", "detect train --help"] {
      #expect(try Command.parse(line.split(separator: " ").map(String.init)).arguments[.topic] == ["detect", "train"])
    }
    #expect(throws: CommandLineError("unknown command 'detect'; the nearest is 'detect train'")) {
      try Command.parse(["detect"])
    }
    #expect(throws: CommandLineError("unknown command 'detect tarin'; the nearest is 'detect train'")) {
      try Command.parse(["detect", "tarin"])
    }
  }

  @Test func helpIsACommandAndAnOption() throws {
    for line in ["help train", "train --help", "train --bogus -h"] {
      let (command, given) = try Command.parse(line.split(separator: " ").map(String.init))
      #expect(command.name == "help")
      #expect(given[.topic] == ["train"])
    }
    for words in [[], ["help"], ["--help"], ["-h"]] {
      let (command, given) = try Command.parse(words)
      #expect(command.name == "help")
      #expect(given[.topic] == [])
    }
  }

  @Test(arguments: [
    ("trian", "unknown command 'trian'; the nearest is 'train'"),
    ("xyzzy", "unknown command 'xyzzy'"),
    ("train --flurble 3", "unknown option '--flurble'"),
    ("check", "unknown command 'check'; the nearest is 'check-gradients'"),
    ("--batch 3", "the command comes first, not '--batch': resnet COMMAND [options]"),
    ("train --epoch 3", "unknown option '--epoch'; the nearest is --epochs"),
    ("train --bacth=3", "unknown option '--bacth'; the nearest is --batch"),
    ("train -batch 3", "unknown option '-batch'; the nearest is --batch"),
    ("train --iter 3", "unknown option '--iter'; the nearest is --iterations"),
    ("help --bogus", "unknown option '--bogus': resnet help takes none"),
    ("summary --logits 3", "--logits belongs to resnet evaluate, not to resnet summary"),
    ("train --batch", "--batch needs a value: --batch N"),
    ("train --data --json", "--data needs a value: --data DIR"),
    ("train --json=yes", "--json takes no value, not 'yes'"),
    ("train --epochs x", "--epochs takes a whole number from 1 to 1000000, not 'x'"),
    (
      "train --epochs 99999999999999999999",
      "--epochs takes a whole number from 1 to 1000000, not '99999999999999999999'"
    ),
    ("train --batch 0", "--batch takes a whole number from 1 to 65536, not '0'"),
    ("train --batch=", "--batch takes a whole number from 1 to 65536, not ''"),
    ("train --rate -1", "--rate takes a number from 0 to 1000, not '-1'"),
    ("train --rate nan", "--rate takes a number from 0 to 1000, not 'nan'"),
    ("train --shortcut D", "--shortcut takes A, B or C, not 'D'"),
    ("compare --depths 20,", "--depths takes a list with commas, each a whole number from 8 to 2000, not '20,'"),
    ("train --batch 1 --batch 2", "--batch is given twice"),
    ("train --json --json", "--json is given twice"),
    ("train resnet20", "unexpected argument 'resnet20': resnet train takes options only"),
    ("summary resnet20 resnet32", "unexpected argument 'resnet32': resnet summary takes NETWORK only"),
    ("predict --json", "IMAGE is missing: the pictures, PNG files"),
    ("bench fast", "MODE takes train, infer or kernels, not 'fast'"),
  ])
  func aWrongCommandLineIsOneSentence(line: String, sentence: String) {
    #expect(message(line) == sentence)
  }

  @Test func optionsThatExcludeEachOtherAreRefused() throws {
    #expect(throws: CommandLineError("--epochs and --iterations exclude each other")) {
      try arguments("train --iterations 2 --epochs 1").allowOne(of: .epochs, .iterations)
    }
    #expect(throws: Never.self) { try arguments("train --epochs 1").allowOne(of: .epochs, .iterations) }
  }

  @Test func theNearestNameHasTheFewestEdits() {
    #expect(editDistance("kitten", "sitting") == 3)
    #expect(editDistance("", "abc") == 3)
    #expect(editDistance("abc", "abc") == 0)
    #expect(nearest(to: "Limt", in: ["batch", "limit", "rate"]) == "limit")
    #expect(nearest(to: "ben", in: ["help", "bench"]) == "bench")
    #expect(nearest(to: "photograph", in: ["help", "bench"]) == nil)
    #expect(nearest(to: "", in: ["help"]) == nil)
  }

  @Test func aUsersTextIsQuotedOnOneShortLine() {
    #expect(quoted("a\n\u{1B}[2J") == "'a??[2J'")
    #expect(quoted(String(repeating: "x", count: 70)) == "'" + String(repeating: "x", count: 60) + "...'")
  }

  @Test func twentyThousandRandomCommandLinesAreReadOrRefused() {
    var state: UInt64 = 1
    func random(_ count: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % count
    }
    let names = Command.all.flatMap { $0.options.map(\.name) + [$0.name] }
    let values = ["1", "0", "-1", "x", "", "--", "-", "=", "1,2", "A", "train", "1e999", "\u{0}é\u{301}", "--=", "-h"]
    var (read, refused) = (0, 0)
    for _ in 0..<20_000 {
      var words = [Command.all[random(Command.all.count)].name]
      for _ in 0..<random(5) {
        var word = random(2) == 0 ? names[random(names.count)] : values[random(values.count)]
        if random(3) == 0 { word += "=" + values[random(values.count)] }
        if random(9) == 0 { word.insert("z", at: word.startIndex) }
        words.append(word)
      }
      do throws(CommandLineError) {
        _ = try Command.parse(words)
        read += 1
      } catch {
        #expect(error.message.count > 10 && !error.message.contains("\n"))
        refused += 1
      }
    }
    #expect(read > 1000)
    #expect(refused > 1000)
  }
}
