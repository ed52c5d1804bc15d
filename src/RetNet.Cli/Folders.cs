using RetNet.Vulkan.Gguf;

namespace RetNet.Cli;

/// <summary>Where the program finds and keeps files.</summary>
internal static class Folders
{
    /// <summary>The bundled model, relative to the program.</summary>
    public const string BundledModel = "models/tales-18m-q8_0.gguf";

    /// <summary>Where compiled pipelines are kept between runs: <c>$XDG_CACHE_HOME/retnet-vulkan</c> or <c>~/.cache/retnet-vulkan</c>; null where there is no home.</summary>
    public static string? Cache
    {
        get
        {
            // XDG: a relative path is to be ignored.
            if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { } xdg && Path.IsPathRooted(xdg))
                return Path.Combine(xdg, "retnet-vulkan");
            var local = OperatingSystem.IsLinux()
                ? InHome(".cache")
                : Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData);
            return string.IsNullOrEmpty(local) ? null : Path.Combine(local, "retnet-vulkan");
        }
    }

    /// <summary>Opens the model asked for, else the bundled one.</summary>
    public static GgufFile OpenModel(string? path)
    {
        if (path is not null)
            return GgufFile.Open(path);
        var bundled = Path.Combine(AppContext.BaseDirectory, BundledModel);
        return File.Exists(bundled)
            ? GgufFile.Open(bundled)
            : throw new CommandException($"there is no bundled model ({bundled}); name one with --model FILE");
    }

    private static string? InHome(string folder) =>
        Environment.GetFolderPath(Environment.SpecialFolder.UserProfile) is { Length: > 0 } home ? Path.Combine(home, folder) : null;
}
