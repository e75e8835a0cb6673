import OmnictlCommands

await Omnictl.main()
