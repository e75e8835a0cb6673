import Daemon

ProcessFacts.end(Program.run(CommandLine.arguments, ProcessFacts.current()))
