import TalosSimulator

TalosimCommand.main(Array(CommandLine.arguments.dropFirst()))
