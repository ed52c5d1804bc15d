return RetNet.Cli.Application.Run(args);
