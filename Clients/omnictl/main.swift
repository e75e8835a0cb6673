import OmnictlCommands

Omnictl.main()
